"""The host of a member's agent: a machine of the lab, or one that another member uses, is not emptied with a member."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.commands.join import record_agent_machine
from deployers.members import added
from deployers.members.added import forget_agent_machine
from deployers.members.agent import AGENT_MACHINES
from lab.machines.record import MachineRecord, read_machines, record_machine
from lab.machines.ssh.host import SshHost
from lab.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run with a machine of its lab file."""
    lab = {"members": [], "machines": {"kind": "ssh", "hosts": [{"name": "machine1", "address": "10.0.0.1"}]}}
    found = Run.create("a", {"lab": lab}, root=tmp_path)
    record_machine(found, "machine1", MachineRecord("ssh", "10.0.0.1"))
    return found


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The machines on which the run's files were deleted."""
    names: list[str] = []
    monkeypatch.setattr(added, "release_machine", lambda _, name, **__: names.append(name))
    return names


def host(address: str, user: str = "root") -> SshHost:
    return SshHost("shop", address, 22, user, "", "", None, False)


@pytest.mark.parametrize(
    ("address", "user", "machine"),
    [("10.0.0.9", "root", "shop-host"), ("10.0.0.1", "root", "machine1"), ("10.0.0.1", "other", "shop-host")],
)
def test_a_host_that_the_lab_knows_is_that_machine(run: Run, released: list[str], address: str, user: str, machine: str) -> None:
    record_agent_machine(run, "shop", host(address, user))

    assert run.recorded(AGENT_MACHINES, "shop") == {"machine": machine}
    forget_agent_machine(run, "shop")
    assert released == ([] if machine == "machine1" else [machine])
    assert [*read_machines(run)] == ["machine1"]


def test_a_host_of_two_members_goes_with_the_last(run: Run, released: list[str]) -> None:
    for member in ("shop", "bank"):
        record_agent_machine(run, member, host("10.0.0.9"))
    forget_agent_machine(run, "shop")
    assert (released, [*read_machines(run)]) == ([], ["machine1", "shop-host"])
    forget_agent_machine(run, "bank")
    assert (released, [*read_machines(run)]) == (["shop-host"], ["machine1"])
    forget_agent_machine(run, "bank")
