"""Machines that are containers: recorded before they are made, kept when they run, deleted from the records."""

from __future__ import annotations

import pytest

from lab.errors import ProvisionError
from lab.factories import containers
from lab.machines.record import MachineRecord, read_machines, record_machine
from lab.machines.registry import open_machine
from lab.machines.scripted import ScriptedFailure
from lab.run import Run
from lab.tests.containers_fakes import NAME, engine_of


def test_a_machine_is_recorded_before_it_is_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    engine_of(monkeypatch, [], run=ScriptedFailure(125, "no space"))

    with pytest.raises(ProvisionError):
        containers.make_machine(run, "machine1", lambda: "image")
    assert read_machines(run)["machine1"].kind == "container"


def test_a_machine_that_is_there_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(monkeypatch, [])
    (step,) = containers.machine_steps(run, ["machine1"], image=lambda: "image")

    step.action()
    step.action()

    assert step.name == "machines/machine1"
    assert engine.transcript().count("docker run") == 1
    assert read_machines(run)["machine1"].address == "172.17.0.5"
    assert open_machine(run, "machine1").name == NAME


def test_a_machine_is_mounted_where_gc_sees_its_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(monkeypatch, [])

    containers.make_machine(run, "machine1", lambda: "image")

    assert f"{run.path}/logs/machine1:" in engine.transcript()


def test_deleting_removes_what_the_records_name_and_nothing_else(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    there = [NAME, "karmada-lab.try.host-control-plane", "karmada-lab.try-2.machine1"]
    engine_of(monkeypatch, there)
    record_machine(run, "machine1", MachineRecord(kind="container"))
    record_machine(run, "a", MachineRecord(kind="ssh", address="10.0.0.5"))

    containers.delete_machines(run)
    containers.delete_machines(run)

    assert NAME not in there
    assert len(there) == 2
    assert list(read_machines(run)) == ["a"]


def test_records_are_kept_while_docker_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    engine_of(monkeypatch, [], ps=ScriptedFailure(1, "Cannot connect"))
    record_machine(run, "machine1", MachineRecord(kind="container"))

    with pytest.raises(ProvisionError, match="Docker"):
        containers.delete_machines(run)
    assert "machine1" in read_machines(run)
