"""The provider that makes no cluster: what its clusters offer is probed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.api import Api
from lab.errors import ProvisionError
from lab.providers.existing import Existing
from lab.spec import Capability, LabSpec, parse

REAL = {"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
AWAY = {"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
HOLLOW = {"metadata": {"annotations": {"kwok.x-k8s.io/node": "fake"}}, "status": REAL["status"]}


def probe(monkeypatch: pytest.MonkeyPatch, **nodes: list[dict[str, Any]] | None) -> set[str] | None:
    class Cluster:
        def __init__(self, name: str) -> None:
            self.name = name

        def items(self, _: str, **__: str) -> list[dict[str, Any]]:
            if (found := nodes[self.name]) is None:
                raise ProvisionError("away")
            return found

    monkeypatch.setattr(Api, "open", lambda file, context=None: Cluster(file.stem))
    host, *members = ({"name": name, "kubeconfig": f"/{name}"} for name in nodes)
    found = Existing().probe(parse(LabSpec, {"provider": "existing", "host": host, "members": members}, source="test"))
    return {each.value for each in found} if found is not None else None


def test_pods_run_where_every_cluster_has_a_real_node_that_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe(monkeypatch, host=[REAL], east=[REAL, HOLLOW]) == {"MACHINES", "PODS", "HOLLOW"}
    assert probe(monkeypatch, host=[REAL], east=[AWAY]) == {"MACHINES"}
    assert probe(monkeypatch, host=[REAL]) == {"MACHINES", "PODS"}


def test_nodes_of_kwok_are_hollow_whatever_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe(monkeypatch, host=[], east=[HOLLOW]) == {"MACHINES", "HOLLOW"}
    assert probe(monkeypatch, host=[], east=[HOLLOW], west=[]) == {"MACHINES"}


def test_what_cannot_be_asked_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe(monkeypatch, host=[REAL], east=None) is None


def test_it_makes_nothing(tmp_path: Path) -> None:
    spec = parse(LabSpec, {"provider": "existing", "members": [], "host": {"kubeconfig": str(tmp_path)}}, source="test")

    assert spec.made == ()
    assert [name.partition("@")[0] for name in Existing().software(spec)] == ["kubectl"]
    assert Existing().offers == frozenset(Capability)
