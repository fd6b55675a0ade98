"""Clusters on machines: who takes which machine, what is refused, and what is reset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.cluster import Lab
from lab.kubeadm.cluster import RECORD, MachineCluster
from lab.machines.record import MachineRecord, record_machine
from lab.providers import ssh
from lab.providers.ssh import Ssh, assign_machines
from lab.run import Run
from lab.spec import LabSpec, parse
from lab.steps import Step


def make_spec(**document: Any) -> LabSpec:
    given = {"provider": "ssh", "machines": {"kind": "container", "count": 3}, "members": [{"name": "member1"}], **document}
    return parse(LabSpec, given, source="test")


def test_the_host_takes_its_machines_first_and_each_worker_is_a_machine() -> None:
    spec = make_spec(host={"workers": [{"count": 1, "zone": "a"}]})

    assert assign_machines(spec) == {"host": ("machine1", "machine2"), "member1": ("machine3",)}
    assert Ssh().check_spec(spec) == []


def test_three_control_planes_are_three_machines_of_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[MachineCluster] = []

    def keep(cluster: MachineCluster, **_: object) -> list[Step]:
        made.append(cluster)
        return []

    monkeypatch.setattr(ssh, "cluster_steps", keep)
    host = {"control_planes": 3, "workers": [{"count": 1}]}
    document = {"provider": "ssh", "machines": {"kind": "container", "count": 4}, "host": host, "members": []}
    run = Run.create("blue", {"lab": document}, root=tmp_path)
    Ssh().create(Lab.open(run), {})

    assert [cluster.control_planes for cluster in made] == [("machine1", "machine2", "machine3")]
    assert [cluster.workers for cluster in made] == [("machine4",)]


@pytest.mark.parametrize(
    ("document", "path", "noun"),
    [
        ({"machines": None}, "machines", "container"),
        ({"machines": {"kind": "namespace", "count": 3}}, "machines.kind", "systemd"),
        ({"machines": {"kind": "container", "count": 1}}, "machines", "2 machines"),
        ({"host": {"nodes": [{"count": 1}]}}, "host.nodes", "hollow"),
        ({"host": {"env": {"etcd": {"A": "b"}}}}, "host.env.etcd", "flags"),
        ({"host": {"flags": {"kwok": {"v": "1"}}}}, "host.flags.kwok", "kubeadm"),
        ({"host": {"files": {"a.yaml": "x"}}}, "host.files", "containers"),
        ({"host": {"workers": [{"labels": {"kubernetes.io/os": "bsd"}}]}}, 'host.workers[0].labels["kubernetes.io/os"]', "kubelet"),
    ],
)
def test_what_machines_cannot_carry_is_refused(document: dict[str, Any], path: str, noun: str) -> None:
    found = {problem.path: problem for problem in Ssh().check_spec(make_spec(**document))}

    assert path in found
    assert noun in f"{found[path].why} {found[path].remedy}"


def test_clusters_have_different_addresses_for_their_pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[MachineCluster] = []

    def keep(cluster: MachineCluster, *, is_host: bool) -> list[Step]:
        made.append(cluster)
        return []

    monkeypatch.setattr(ssh, "cluster_steps", keep)
    spec = make_spec(machines={"kind": "ssh", "hosts": [{"name": name, "address": f"10.0.0.{name[-1]}"} for name in ("m1", "m2")]})
    run = Run.create("try", {"lab": spec.model_dump(mode="json")}, root=tmp_path)
    for number, name in enumerate(("m1", "m2")):
        record_machine(run, name, MachineRecord("ssh", address=f"10.0.0.{number}"))

    Ssh().create(Lab.open(run), {})

    host, member = (cluster.config() for cluster in made)
    assert not host.pods.overlaps(member.pods)
    assert [host.control_planes[0].name, member.control_planes[0].name] == ["m1", "m2"]


def test_only_the_users_own_machines_are_reset_and_twice_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reset: list[str] = []
    monkeypatch.setattr(ssh, "open_machine", lambda _, name: name)
    monkeypatch.setattr(ssh, "reset_node", reset.append)
    run = Run.create("try", {}, root=tmp_path)
    record_machine(run, "a", MachineRecord("ssh", address="10.0.0.5"))
    record_machine(run, "machine1", MachineRecord("container"))
    run.record(RECORD, "host", {"machines": ["a", "machine1", "never-recorded"]})

    Ssh().delete(run)
    Ssh().delete(run)

    assert reset == ["a"]
