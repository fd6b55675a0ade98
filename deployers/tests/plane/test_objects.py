from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from deployers.plane import objects
from deployers.plane.manifests import Addresses
from deployers.tests.control_plane_fakes import Server, a_karmada, a_release
from lab.api import Api
from lab.errors import NotReady

WHERE = Addresses(b"CA", "https://127.0.0.1:5443", "127.0.0.1:8443", {})
WORKS = f"{objects.CRDS}/works.work.karmada.io"


@pytest.fixture
def crds(tmp_path: Path) -> Path:
    return a_release(tmp_path / "release") / "karmada-crds"


def test_crds_are_sent_once_and_then_only_looked_at(tmp_path: Path, crds: Path) -> None:
    run, server = a_karmada(tmp_path).run, Server()

    objects.ensure_crds(server.api(), run, crds, WHERE)
    sent, before = len(server.writes), {path: dict(item["metadata"]) for path, item in server.objects.items()}
    objects.ensure_crds(server.api(), run, crds, WHERE)

    assert sent == len(server.writes) == 2
    assert {path: item["metadata"] for path, item in server.objects.items()} == before


@pytest.mark.parametrize("change", ["deleted", "edited", "webhook moved", "release changed"])
def test_crds_that_are_not_as_they_were_left_are_sent_again(tmp_path: Path, crds: Path, change: str) -> None:
    run, server, where = a_karmada(tmp_path).run, Server(), WHERE
    objects.ensure_crds(server.api(), run, crds, WHERE)
    if change == "deleted":
        del server.objects[WORKS]
    elif change == "edited":
        server.objects[WORKS]["metadata"]["generation"] += 1
    elif change == "webhook moved":
        where = Addresses(b"CA", "https://127.0.0.1:5443", "127.0.0.1:9999", {})
    else:
        file = crds / "bases/work/work.karmada.io_works.yaml"
        file.write_text(file.read_text() + "# one line more\n")

    objects.ensure_crds(server.api(), run, crds, where)

    assert len(server.writes) == 4
    assert WORKS in server.objects


def test_a_crd_that_does_not_get_established_is_named_with_the_reason(tmp_path: Path) -> None:
    bad = {
        "metadata": {"name": "works.work.karmada.io"},
        "status": {"conditions": [{"type": "NamesAccepted", "status": "False", "message": "taken"}]},
    }
    server = Server({WORKS: bad})

    with pytest.raises(NotReady, match="NamesAccepted"):
        objects.wait_established(server.api(), ["works.work.karmada.io"], within=0.05)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({}, "no condition Available yet"),
        ({"status": None}, "no condition Available yet"),
        ({"status": {"conditions": None}}, "no condition Available yet"),
        ({"status": {"conditions": [{"type": "Available", "status": "False", "message": "no route"}]}}, "Available is False: no route"),
        ({"status": {"conditions": [{"type": "Available", "status": "True"}]}}, None),
    ],
)
def test_condition(item: dict[str, object], said: str | None) -> None:
    assert objects.condition(item, "Available") == said


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ([], "it does not"),
        ([("cluster.karmada.io", "Stale")], "it is Stale"),
        ([("cluster.karmada.io", "Current")], None),
        ([("search.karmada.io", "Current")], "it does not"),
    ],
)
def test_a_group_is_known_when_discovery_lists_it_as_current(groups: list[tuple[str, str]], says: str | None) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Accept"] == objects.DISCOVERY
        items = [{"metadata": {"name": name}, "versions": [{"version": "v1alpha1", "freshness": fresh}]} for name, fresh in groups]
        return httpx.Response(200, json={"items": items})

    api = Api("https://api", context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    api.http = httpx.Client(base_url="https://api", transport=httpx.MockTransport(answer))

    if says is None:
        objects.wait_discovered(api, "cluster.karmada.io", "v1alpha1", within=0.05)
        return
    with pytest.raises(NotReady, match=says):
        objects.wait_discovered(api, "cluster.karmada.io", "v1alpha1", within=0.05)


def test_an_api_server_that_still_takes_everybody_for_anonymous_is_waited_for() -> None:
    answers = [httpx.Response(403, json={"message": 'User "system:anonymous" cannot list'}), httpx.Response(200, json={"items": []})]
    api = Api("https://api", context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    api.http = httpx.Client(base_url="https://api", transport=httpx.MockTransport(lambda _: answers.pop(0)))

    objects.wait_answers(api, "/apis/cluster.karmada.io/v1alpha1/clusters", within=5.0)

    assert not answers
