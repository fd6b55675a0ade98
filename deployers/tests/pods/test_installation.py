"""What an installer of pods found before it began is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.plane import external
from deployers.pods import installation
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.host_fakes import Host
from lab.cluster import Cluster


@pytest.fixture(autouse=True)
def balancers_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "balancer_errors", lambda address: [])


def test_what_was_there_before_is_not_ours_to_prove_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    host.lists["/apis/rbac.authorization.k8s.io/v1/clusterroles"].append({"metadata": {"name": "karmada-of-others"}})
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: host.api()))
    karmada = a_karmada(tmp_path, {"deployer": "by_operator"})
    installation.begin(karmada)

    installation.wait_removed(karmada, within=0.0)
