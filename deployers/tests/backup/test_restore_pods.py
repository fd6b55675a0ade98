"""The restore of a control plane in pods: what is refused before anything is touched, and the order of its steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.backup import restore_pods
from deployers.backup.restore_pods import WHAT, replicas_of, require_volumes, steps
from deployers.plane import pending_operation
from deployers.pods import workloads
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.day2_fakes import files, manifest
from deployers.tests.host_fakes import Host, deployment
from lab.cluster import Cluster
from lab.errors import NotPossible


def test_upstreams_own_etcd_is_not_restored_in_place(tmp_path: Path) -> None:
    with pytest.raises(NotPossible, match="upstream"):
        require_volumes(a_karmada(tmp_path, {"deployer": "by_yaml"}))
    require_volumes(a_karmada(tmp_path / "own", {"deployer": "by_yaml", "etcd": {"members": 3}}))


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host(
        deployment("karmada-apiserver", ["kube-apiserver"], replicas=2),
        deployment("karmada-operator", ["karmada-operator"]),
        deployment("etcd", ["etcd"], replicas=3, kind="StatefulSet"),
    )
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: made.api()))
    return made


def test_an_interrupted_restore_knows_how_many_replicas_there_were(tmp_path: Path, host: Host) -> None:
    karmada = a_karmada(tmp_path, {"deployer": "by_operator", "etcd": {"members": 3}})
    before = replicas_of(karmada)

    assert before == {"deployments/karmada-apiserver": 2, "deployments/karmada-operator": 1}
    with pytest.raises(RuntimeError), pending_operation.hold_pending(karmada.run, WHAT, again="x", replicas=before):
        raise RuntimeError
    for each in host.lists["/apis/apps/v1/namespaces/karmada-system/deployments"]:
        each["spec"]["replicas"] = 0
    assert replicas_of(karmada) == before


def test_an_operator_ends_first_and_the_api_server_starts_before_the_others(
    tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    karmada = a_karmada(tmp_path, {"deployer": "by_operator", "etcd": {"members": 3}, "members": [{"name": "member1"}]})
    done: list[Any] = []
    monkeypatch.setattr(restore_pods, "scale", lambda host, name, count: done.append((name.partition("/")[2], count)))
    monkeypatch.setattr(restore_pods, "until", lambda *_, **__: None)
    monkeypatch.setattr(workloads, "wait_serving", lambda *_, **__: None)
    monkeypatch.setattr(restore_pods, "seed", lambda *_: done.append("seeded"))
    monkeypatch.setattr(restore_pods, "wait_own_etcd", lambda *_: done.append("etcd serves"))
    for name in ("rejoin", "wait_members_reached", "wait_settled", "drop_leases"):
        monkeypatch.setattr(restore_pods, name, lambda *_: None)

    made = steps(karmada, tmp_path, manifest(files(tmp_path / "made")), replicas_of(karmada))
    for step in made:
        step.action()

    assert [step.needs for step in made[1:]] == [(step.name,) for step in made[:-1]]
    assert done[0] == ("karmada-operator", 0)
    assert done.index(("etcd", 0)) < done.index("seeded") < done.index("etcd serves") < done.index(("karmada-apiserver", 2))
    assert done.index(("karmada-apiserver", 2)) < done.index(("karmada-operator", 1))
