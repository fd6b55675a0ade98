"""Machines are opened by their records."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.machines.container import Container
from lab.machines.record import MachineRecord, forget_machine, read_machines, record_machine
from lab.machines.registry import open_machine
from lab.machines.ssh.machine import SshMachine
from lab.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("blue", {}, root=tmp_path)


def test_a_record_alone_makes_the_handle(run: Run) -> None:
    record_machine(run, "gate", MachineRecord("ssh", "10.0.0.1", key="/k", known_hosts="/h"))
    record_machine(run, "a", MachineRecord("namespace", "10.0.0.2", 2222, "user", jump="gate", sudo=True))
    record_machine(run, "c", MachineRecord("container", "karmada-lab.blue.c"))
    machine = open_machine(run, "a")

    assert isinstance(machine, SshMachine)
    assert machine.host.jump is not None
    assert (machine.name, machine.host.port, machine.host.jump.address) == ("a", 2222, "10.0.0.1")
    assert machine.root == "/var/lib/karmada-lab/runs/blue"
    assert isinstance(open_machine(run, "c"), Container)


def test_a_record_of_a_later_version_is_read(run: Run) -> None:
    run.record("machines", "a", {"kind": "ssh", "address": "10.0.0.1", "later": 1})

    assert read_machines(run) == {"a": MachineRecord("ssh", "10.0.0.1")}
    forget_machine(run, "a")
    assert read_machines(run) == {}


@pytest.mark.parametrize(("name", "noun"), [("nowhere", "nowhere"), ("a", "circle"), ("c2", "container")])
def test_a_machine_that_cannot_be_opened_is_refused(run: Run, name: str, noun: str) -> None:
    record_machine(run, "a", MachineRecord("ssh", "10.0.0.1", jump="b"))
    record_machine(run, "b", MachineRecord("ssh", "10.0.0.2", jump="a"))
    record_machine(run, "c", MachineRecord("container", "x"))
    record_machine(run, "c2", MachineRecord("ssh", "10.0.0.3", jump="c"))
    with pytest.raises(UsageError, match=noun):
        open_machine(run, name)
