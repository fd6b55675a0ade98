"""Extra members for a test that needs many: control planes without nodes, in the lab's run directory and under its supervisor.

A member that gets no workloads needs only an API and the service account tokens of its controller-manager. So such a cluster is etcd,
kube-apiserver and kube-controller-manager: 420 MiB, and about three seconds of one core to start.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from deployers.karmada import Karmada
from deployers.release import make_supply
from lab import component
from lab.cluster import Cluster, Lab
from lab.limits.cgroup import usable_processors
from lab.limits.files import Files
from lab.limits.memory import free_memory
from lab.machines.placement import place_run
from lab.providers import embedded, embedded_cluster
from lab.shared_lock import hold_lock
from lab.spec import ClusterSpec
from lab.steps import Step, execute
from lab.supervisor.client import Supervisor
from scenarios.kit import faults
from scenarios.kit.waiting import eventually

PARTS = ("etcd", "kube-apiserver", "kube-controller-manager")
GO = {"GOGC": "400"}
"""Collect garbage less often: a fifth less CPU for 50 MiB more. Ten starts at once are limited by CPU."""
MIB = 420


@contextmanager
def extra_members(lab: Lab, count: int) -> Iterator[tuple[Cluster, ...]]:
    """Start clusters `extra1` … in parallel and yield them with their APIs up; stop them afterwards. Skip the test if memory is short."""
    free = free_memory(Files()).bytes / 2**20
    if free < 1.2 * count * MIB:
        pytest.skip(f"{count} more members need {1.2 * count * MIB / 1024:.1f} GiB; {free / 1024:.1f} GiB are free")
    specs = [ClusterSpec(name=f"extra{number + 1}", kubernetes=lab.spec.kubernetes) for number in range(count)]
    clusters = tuple(Cluster(spec.name, spec.name, lab.run.kubeconfig(spec.name)) for spec in specs)
    software = {str(ref): path for ref, path in make_supply().resolve(embedded.Embedded().software(lab.spec)).items()}
    steps: list[Step] = []
    programs: list[str] = []
    for spec, cluster in zip(specs, clusters, strict=True):
        parts = [
            part.changed(env=GO)
            for part in embedded_cluster.make_components(place_run(lab.run, ""), spec, cluster, software)
            if embedded.program_name(part) in PARTS
        ]
        programs += [part.name for part in parts]
        steps.append(Step(f"{spec.name}/identity", make_identity(lab, spec, cluster, software)))
        steps += component.make_steps(parts, lab.run)
    supervisor = Supervisor(lab.run.path)
    try:
        execute(steps, lab.run, workers=2 * usable_processors(Files()))  # more at once are no faster, and each takes longer to answer
        yield clusters
    finally:
        status = supervisor.status()
        for name in reversed(programs):
            if status and name in status.programs:
                supervisor.stop(name, kill=True)  # their data is not needed any more
            component.remove(name, lab.run)
        for cluster in clusters:
            cluster.kubeconfig.unlink(missing_ok=True)


@contextmanager
def spare_cluster(karmada: Karmada) -> Iterator[Cluster]:
    """Yield a cluster of the lab that is not a member, under an exclusive lock. Skip the test if every cluster is a member."""
    free = [member.name for member in karmada.lab.spec.members if member.mode == "none"]
    if not free:
        pytest.skip("every cluster of this lab is a member: this needs one with mode = 'none'")
    with hold_lock(karmada.run.path / "spare.lock", fcntl.LOCK_EX):
        yield karmada.lab.member(free[0])


def recreate_cluster(lab: Lab, cluster: Cluster) -> None:
    """Start a cluster of `extra_members` again with empty data, at the same address and with the same certificates."""
    supervisor = Supervisor(lab.run.path)
    for part in reversed(PARTS):
        supervisor.stop(f"{cluster.name}/{part}", kill=True)
    shutil.rmtree(lab.run.path / "data" / cluster.name / "etcd")
    for part in PARTS:
        faults.start_program(lab.run, f"{cluster.name}/{part}")

    def answers() -> None:
        """the cluster serves its new data"""
        assert cluster.api.answers("/readyz")
        assert cluster.api.find("/api/v1/namespaces/kube-system")

    eventually(answers, within=60)


def make_identity(lab: Lab, spec: ClusterSpec, cluster: Cluster, software: Any) -> Any:
    """Return the action that makes a cluster's certificates and kubeconfigs."""
    return lambda: embedded_cluster.write_identity(place_run(lab.run, ""), spec, cluster, software)
