"""The API client: Kubernetes' errors become ours, watches go on after a break, a wait tells what is missing."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab.api import Api, Refused, Unreachable
from lab.errors import NotReady, UsageError
from lab.wait import SystemClock

Handler = Callable[[httpx.Request], httpx.Response]
DISCOVERY = {
    "/api/v1": {
        "resources": [
            {"name": "configmaps", "kind": "ConfigMap", "namespaced": True},
            {"name": "nodes", "kind": "Node", "namespaced": False},
        ]
    },
}


def api(handler: Handler) -> Api:
    made = Api("https://api", context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    made.http = httpx.Client(base_url="https://api", transport=httpx.MockTransport(handler))
    return made


def status(code: int, reason: str) -> httpx.Response:
    return httpx.Response(code, json={"kind": "Status", "reason": reason, "message": f"{reason}: so it is"})


def test_an_error_of_the_server_keeps_its_reason() -> None:
    with pytest.raises(Refused) as refused:
        api(lambda request: status(409, "AlreadyExists")).get("/api/v1/nodes/a")

    assert (refused.value.status, refused.value.reason) == (409, "AlreadyExists")


def test_an_error_body_that_is_not_json_is_shown() -> None:
    with pytest.raises(Refused) as refused:
        api(lambda request: httpx.Response(502, text="bad gateway")).get("/x")

    assert "bad gateway" in refused.value.what


@pytest.mark.parametrize(("busy", "answered"), [(0, True), (3, True), (10, False)])
def test_a_busy_server_is_asked_again_after_the_time_that_it_names(monkeypatch: pytest.MonkeyPatch, busy: int, answered: bool) -> None:
    slept: list[float] = []
    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: slept.append(seconds))
    answers = iter([httpx.Response(429, headers={"Retry-After": "1"}, json={})] * busy + [httpx.Response(200, json={"kind": "Node"})])

    if answered:
        assert api(lambda request: next(answers)).get("/api/v1/nodes/a") == {"kind": "Node"}
        assert slept == [1.0] * busy
    else:
        with pytest.raises(Refused):
            api(lambda request: next(answers)).get("/api/v1/nodes/a")


@pytest.mark.parametrize("refused", [httpx.Response(429, json={}), httpx.Response(409, headers={"Retry-After": "1"}, json={})])
def test_a_refusal_without_a_time_is_final(refused: httpx.Response) -> None:
    answers = iter([refused])

    with pytest.raises(Refused):
        api(lambda request: next(answers)).get("/api/v1/nodes/a")


def test_a_refused_connection_is_unreachable() -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable):
        api(nobody).get("/x")
    assert not api(nobody).answers()


def test_find_and_delete_take_not_found_for_an_answer() -> None:
    nothing = api(lambda request: status(404, "NotFound"))

    assert nothing.find("/api/v1/nodes/a") is None
    nothing.delete("/api/v1/nodes/a")


def test_apply_goes_to_the_kinds_path_as_server_side_apply() -> None:
    seen: list[httpx.Request] = []

    def server(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=DISCOVERY.get(request.url.path, {}))

    api(server).apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"}})

    assert seen[-1].method == "PATCH"
    assert seen[-1].url.path == "/api/v1/namespaces/n/configmaps/a"
    assert seen[-1].url.params["fieldManager"] == "karmada-lab"
    assert seen[-1].headers["content-type"] == "application/apply-patch+yaml"


def test_a_kind_that_is_not_there_is_asked_for_again_later() -> None:
    known: dict[str, Any] = {"resources": []}
    client = api(lambda request: httpx.Response(200, json=known))
    manifest = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}

    with pytest.raises(UsageError):
        client.path_of(manifest)
    known["resources"] = DISCOVERY["/api/v1"]["resources"]

    assert client.path_of(manifest) == "/api/v1/nodes/a"


def listing(*items: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"metadata": {"resourceVersion": "1"}, "items": list(items)})


def events(*rows: tuple[str, dict[str, Any]]) -> httpx.Response:
    return httpx.Response(200, text="".join(json.dumps({"type": kind, "object": item}) + "\n" for kind, item in rows))


def node(name: str, ready: bool) -> dict[str, Any]:
    return {"metadata": {"name": name}, "ready": ready}


def test_until_returns_the_object_that_holds() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        return events(("MODIFIED", node("a", True))) if "watch" in request.url.params else listing(node("a", False))

    found = api(server).until("/api/v1/nodes/a", lambda item: None if item["ready"] else "not ready", what="a is ready", within=5)

    assert found["ready"]


def test_a_watch_that_expires_is_taken_up_with_a_new_list() -> None:
    lists = iter([listing(node("a", False)), listing(node("a", True))])

    def server(request: httpx.Request) -> httpx.Response:
        return events(("ERROR", {"code": 410})) if "watch" in request.url.params else next(lists)

    assert api(server).until("/api/v1/nodes/a", lambda item: None if item["ready"] else "no", what="x", within=5)["ready"]


def test_time_out_tells_what_was_still_missing() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        return events() if "watch" in request.url.params else listing(node("a", False))

    with pytest.raises(NotReady) as late:
        api(server).until("/api/v1/nodes/a", lambda item: "Ready is False", what="a is ready", within=0.05)
    assert late.value.last == "Ready is False"


@pytest.mark.parametrize("content", ["", "{", "a: [", "apiVersion: v1", "current-context: x\ncontexts: []", "null"])
def test_a_kubeconfig_that_cannot_be_used_says_which_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content)

    with pytest.raises(UsageError) as error:
        Api.open(path)
    assert str(path) in str(error.value.where)
