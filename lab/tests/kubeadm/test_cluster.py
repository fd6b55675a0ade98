"""The steps of a cluster of machines: their order, and what is recorded before anything is brought."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.cluster import Cluster
from lab.kubeadm.cluster import RECORD, MachineCluster
from lab.kubeadm.files import NodeFiles
from lab.machines.scripted import Scripted
from lab.run import Run
from lab.steps import Step, compute_waves


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("try", {}, root=tmp_path)


def no_files() -> NodeFiles:
    raise AssertionError("nothing is brought here")


def make(run: Run, control_planes: list[str], workers: list[str]) -> MachineCluster:
    cluster = Cluster("host", "karmada-host", run.kubeconfig("host"))
    return MachineCluster(
        run, cluster, "1.35.4", 0, control_planes, workers, lambda _: Scripted(), lambda name: f"10.0.0.{name[-1]}", no_files
    )


def waves_of(cluster: MachineCluster) -> dict[str, int]:
    steps = [Step("files", lambda: None), *cluster.steps(files="files")]
    return {step.name: number for number, wave in enumerate(compute_waves(steps)) for step in wave}


def test_every_machine_is_checked_before_anything_is_brought_to_one(run: Run) -> None:
    waves = waves_of(make(run, ["m1"], ["m2", "m3"]))

    checked = max(number for name, number in waves.items() if name.endswith("/checked"))
    assert checked < min(number for name, number in waves.items() if name.endswith("/prepared"))
    assert waves["host/m2/joined"] == waves["host/m3/joined"]


def test_control_planes_join_one_after_the_other(run: Run) -> None:
    waves = waves_of(make(run, ["m1", "m2", "m3"], ["m4"]))

    assert waves["host/m2/joined"] < waves["host/m3/joined"]
    assert waves["host/m4/joined"] > waves["host/open"]
    assert waves["host"] == max(waves.values())


def test_secrets_are_private_and_stay_the_same(run: Run) -> None:
    cluster = make(run, ["m1"], ["m2"])

    first, again = cluster.config(), make(run, ["m1"], ["m2"]).config()

    assert first.token == again.token
    path = Path(run.records(RECORD)["host"]["secrets"])
    assert path.stat().st_mode & 0o077 == 0
    assert first.token not in json.dumps(run.records(RECORD))
