from __future__ import annotations

from typing import Any

import pytest

from deployers.operator.kube import FINALIZER, DeploymentStore, Deposed, has_finalizer, is_deleting

Json = dict[str, Any]


class Server:
    """Records what is written."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, Json]] = []
        self.secret: Json | None = None

    def find(self, path: str) -> Json | None:
        return self.secret

    def patch(self, path: str, body: Json) -> Json:
        self.writes.append((path, body))
        return body

    def request(self, verb: str, path: str, *, body: Json, **params: str) -> None:
        self.writes.append((path, body))

    def apply(self, manifest: Json) -> Json:
        self.writes.append((manifest["kind"], manifest))
        self.secret = manifest
        return manifest


def item(**metadata: Any) -> Json:
    return {"metadata": {"name": "prod", "namespace": "fleet", "uid": "u", "resourceVersion": "7", **metadata}}


def test_the_same_status_is_written_once() -> None:
    server = Server()
    store = DeploymentStore(server)  # type: ignore[arg-type]

    assert store.put_status(item(), {"lab": "a"})
    assert not store.put_status(item(), {"lab": "a"})
    assert not store.put_status({**item(), "status": {"lab": "b"}}, {"lab": "b"})
    assert len(server.writes) == 1


def test_one_that_does_not_lead_writes_nothing() -> None:
    server = Server()
    store = DeploymentStore(server, lambda: False)  # type: ignore[arg-type]

    for write in (lambda: store.put_status(item(), {"a": 1}), lambda: store.put_finalizer(item(), present=True)):
        with pytest.raises(Deposed):
            write()
    assert server.writes == []


def test_the_finalizer_keeps_those_of_others() -> None:
    server = Server()
    store = DeploymentStore(server)  # type: ignore[arg-type]
    store.put_finalizer(item(finalizers=["other"]), present=True)
    store.put_finalizer(item(finalizers=["other", FINALIZER]), present=False)

    assert [body["metadata"]["finalizers"] for _, body in server.writes] == [["other", FINALIZER], ["other"]]
    assert has_finalizer(item(finalizers=[FINALIZER]))
    assert not has_finalizer(item())
    assert is_deleting(item(deletionTimestamp="2026-11-29T00:00:00Z"))


def test_the_kubeconfig_is_published_once_and_goes_with_its_object() -> None:
    server = Server()
    store = DeploymentStore(server)  # type: ignore[arg-type]

    assert store.publish_kubeconfig(item(), b"x") == "prod-kubeconfig"
    assert store.publish_kubeconfig(item(), b"x") == "prod-kubeconfig"
    ((_, secret),) = server.writes
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "u"
