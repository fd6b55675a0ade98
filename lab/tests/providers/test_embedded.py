"""The embedded provider's recipe: read it in golden/embedded.txt; a change of a flag shows there."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from lab.limits.finding import GIB, MIB
from lab.machines.placement import place_run
from lab.providers import embedded, embedded_cluster
from lab.providers.embedded import Embedded, cluster_steps
from lab.providers.embedded_cluster import CLIENT_SOCKET, PEER_SOCKET, make_components
from lab.run import Run
from lab.spec import LabSpec, parse
from lab.steps import compute_waves
from lab.tests.assets_fakes import Anything
from lab.tests.computer_fakes import Scripted, meminfo
from lab.tests.embedded_fakes import a_lab


@pytest.fixture(autouse=True)
def fixed_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    def numbered(run: Run, name: str, uses: list[str]) -> dict[str, int]:
        return {use: 20_000 + 100 * len(name) + number for number, use in enumerate(uses)}

    monkeypatch.setattr(embedded_cluster, "ports_of", numbered)


def test_a_spec_can_change_and_drop_a_flag_and_set_the_environment(tmp_path: Path) -> None:
    lab = a_lab(
        tmp_path,
        members=[
            {
                "name": "member1",
                "flags": {"kube-apiserver": {"audit-policy-file": None, "max-requests-inflight": "7"}},
                "env": {"etcd": {"GOGC": "50"}},
            }
        ],
    )
    steps = cluster_steps(lab.run, lab.spec.members[0], lab.members[0], Anything())
    parts = {
        part.name: part.changed(
            flags=lab.spec.members[0].flags.get(embedded.program_name(part)), env=lab.spec.members[0].env.get(embedded.program_name(part))
        )
        for part in make_components(place_run(lab.run, ""), lab.spec.members[0], lab.members[0], Anything())
    }

    assert "--max-requests-inflight=7" in parts["member1/kube-apiserver"].argv
    assert not [word for word in parts["member1/kube-apiserver"].argv if "audit-policy-file" in word]
    assert parts["member1/etcd"].env == {"GOGC": "50"}
    assert {step.name for step in steps} >= set(parts)


def test_the_clusters_start_side_by_side_and_in_order(tmp_path: Path) -> None:
    lab = a_lab(tmp_path)

    waves = [{step.name for step in wave} for wave in compute_waves(Embedded().create(lab, Anything()))]

    assert {"host/etcd", "member1/etcd"} <= waves[1]
    assert {"host/kube-apiserver", "member1/kube-apiserver"} <= waves[2]
    assert {"member1"} <= waves[-1]


def test_each_version_of_kubernetes_is_asked_for_once() -> None:
    spec = parse(LabSpec, {"members": [{"name": "a"}, {"name": "b", "kubernetes": "1.34.4"}]}, source="test")

    software = Embedded().software(spec)

    assert "kube-apiserver@1.35.4" in software
    assert "kube-apiserver@1.34.4" in software
    assert len(software) == len(set(software))


def test_sixty_members_are_refused_with_the_arithmetic() -> None:
    spec = parse(LabSpec, {"members": [{"name": f"m{n}"} for n in range(60)]}, source="test")
    computer = Scripted()
    computer.files["/proc/meminfo"] = meminfo(4 * GIB)
    computer.files["/proc/sys/net/ipv4/ip_local_port_range"] = "32768\t60999\n"

    (obstacle,) = Embedded(computer=computer).check(spec)

    assert "61 clusters × 430 MiB" in obstacle
    assert "4.0 GiB of this computer is free" in obstacle
    assert "--members 6" in obstacle


def test_a_lab_that_fits_is_not_refused() -> None:
    assert Embedded(computer=Scripted()).check(parse(LabSpec, {"members": [{"name": "m"}]}, source="test")) == []


def test_workers_are_refused_where_no_container_runs() -> None:
    spec = parse(LabSpec, {"members": [{"name": "m", "workers": [{"count": 2}]}]}, source="test")
    (problem,) = Embedded(computer=Scripted()).check_spec(spec)
    assert problem.path == "members[0].workers"
    assert "--provider kind" in problem.remedy


def test_too_few_inotify_instances_are_refused_with_the_remedy() -> None:
    computer = Scripted(watchers=100)
    computer.files["/proc/sys/fs/inotify/max_user_instances"] = "128"
    (obstacle,) = Embedded(computer=computer).check(parse(LabSpec, {"members": [{"name": "m"}]}, source="test"))

    assert "28 of 128" in obstacle
    assert "sysctl fs.inotify.max_user_instances" in obstacle


def test_too_small_a_disk_is_refused_with_the_arithmetic() -> None:
    (obstacle,) = Embedded(computer=Scripted(space=60 * MIB)).check(parse(LabSpec, {"members": [{"name": "m"}]}, source="test"))

    assert "up to 450 MiB needed" in obstacle
    assert "60 MiB free" in obstacle
    assert "KARMADA_LAB_RUNS" in obstacle


def test_sockets_do_not_depend_on_the_length_of_the_path() -> None:
    for socket in (CLIENT_SOCKET, PEER_SOCKET):
        assert len(PurePosixPath(socket).name) < 30
