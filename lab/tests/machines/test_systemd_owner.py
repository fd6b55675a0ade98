from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import ComponentExited, UsageError
from lab.machines import units
from lab.machines.scripted import Scripted
from lab.machines.systemd_owner import SystemdOwner, make_state
from lab.program import Program

ETCD = Program("member1/etcd", ("etcd", "--name=a b"), Path("/logs/etcd.log"), needs=("member1/identity",), ports=(2379,))
ACTIVE = {"ActiveState": "active", "SubState": "running", "MainPID": "7", "ExecMainCode": "0", "ExecMainStatus": "0"}


@pytest.mark.parametrize(
    ("changes", "state", "status"),
    [
        ({}, "running", None),
        ({"ActiveState": "failed", "MainPID": "0", "ExecMainCode": "1", "ExecMainStatus": "4"}, "exited", 4),
        ({"ActiveState": "inactive", "MainPID": "0", "ExecMainCode": "2", "ExecMainStatus": "15"}, "stopped", -15),
        ({"ActiveState": "activating", "SubState": "auto-restart", "ExecMainCode": "2", "ExecMainStatus": "9"}, "waiting", -9),
        ({"ActiveState": "deactivating"}, "stopping", None),
    ],
)
def test_the_state_of_a_unit_is_that_of_its_program(changes: dict[str, str], state: str, status: int | None) -> None:
    row = {**ACTIVE, "NRestarts": "2", "Restart": "always", **changes}
    found = make_state(row, units.render_unit(ETCD, "blue"))

    assert (found.name, found.argv, found.needs, found.ports) == (ETCD.name, ETCD.argv, ETCD.needs, ETCD.ports)
    assert (found.state, found.status, found.restarts, found.settled) == (state, status, 2, True)


def owner(shown: str) -> SystemdOwner:
    unit = units.unit_name("blue", ETCD.name)
    machine = Scripted(
        {
            ("find",): f"{unit}\n{units.lease_unit('blue')}\n",
            ("systemctl", "show"): shown.format(unit=unit),
            ("cat",): units.render_unit(ETCD, "blue"),
            ("tail",): "the last words\n",
        },
        name="a",
    )
    return SystemdOwner(machine, "blue", "/root/of/blue", lambda: None)


def test_a_program_that_has_ended_cannot_be_settled() -> None:
    shown = "Id={unit}\nActiveState=failed\nSubState=failed\nMainPID=0\nExecMainCode=1\nExecMainStatus=4\nNRestarts=0\nRestart=no\n"
    with pytest.raises(ComponentExited, match="last words") as caught:
        owner(shown).settle(ETCD.name)

    assert (caught.value.status, caught.value.where) == (4, "a: /logs/etcd.log")


def test_a_program_that_was_never_started_is_not_known() -> None:
    with pytest.raises(UsageError, match="member2"):
        owner("").state("member2/etcd")
