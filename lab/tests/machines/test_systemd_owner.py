from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import ComponentExited, UsageError
from lab.machines import units
from lab.machines.remote_log import READ
from lab.machines.scripted import Answer, Scripted
from lab.machines.systemd_owner import READ_STATES, SystemdOwner, make_state
from lab.program import Program

ETCD = Program("member1/etcd", ("etcd", "--name=a b"), Path("/logs/etcd.log"), needs=("member1/identity",), ports=(2379,))
LEASE = Program("lease", ("watch",), Path("/logs/lease.log"))
RUNS = "Id={unit}\nActiveState=active\nSubState=running\nMainPID=7\nExecMainCode=0\nExecMainStatus=0\nNRestarts=0\nRestart=always\n"
FAILED = "Id={unit}\nActiveState=failed\nSubState=failed\nMainPID=0\nExecMainCode=1\nExecMainStatus=4\nNRestarts=0\nRestart=no\n"
ACTIVE = {"ActiveState": "active", "SubState": "running", "MainPID": "7", "ExecMainCode": "0", "ExecMainStatus": "0"}


@pytest.mark.parametrize(
    ("changes", "state", "status"),
    [
        ({}, "running", None),
        ({"ActiveState": "failed", "MainPID": "0", "ExecMainCode": "1", "ExecMainStatus": "4"}, "exited", 4),
        ({"ActiveState": "inactive", "MainPID": "0", "ExecMainCode": "2", "ExecMainStatus": "15"}, "stopped", -15),
        ({"ActiveState": "inactive", "MainPID": "0"}, "stopped", None),
        ({"ActiveState": "inactive", "MainPID": "0", "ExecMainCode": "1"}, "exited", 0),
        ({"ActiveState": "activating", "SubState": "auto-restart", "ExecMainCode": "2", "ExecMainStatus": "9"}, "waiting", -9),
        ({"ActiveState": "deactivating"}, "stopping", None),
    ],
)
def test_the_state_of_a_unit_is_that_of_its_program(changes: dict[str, str], state: str, status: int | None) -> None:
    row = {**ACTIVE, "NRestarts": "2", "Restart": "always", **changes}
    found = make_state(row, units.render_unit(ETCD, "blue"))

    assert (found.name, found.argv, found.needs, found.ports) == (ETCD.name, ETCD.argv, ETCD.needs, ETCD.ports)
    assert (found.state, found.status, found.restarts, found.settled) == (state, status, 2, True)


def owner(*shown: str, programs: tuple[Program, ...] = (ETCD,)) -> SystemdOwner:
    """Return the owner of programs of which systemd shows this, in the same order, and of a lease."""
    names = [units.unit_name("blue", program.name) for program in programs]
    firsts = [units.render_unit(program, "blue").partition("\n")[0] for program in (*programs, LEASE)]
    blocks = [each.format(unit=name) for name, each in zip([*names, units.lease_unit("blue")], [*shown, RUNS], strict=True)]

    def read_states(args: tuple[str, ...]) -> str:
        return "\n".join(firsts) + "\n" + "\n".join(blocks) if args[-1] in {"karmada-lab.blue.*.service", *names} else ""

    answers: dict[tuple[str, ...], Answer] = {("sh", "-c", READ_STATES): read_states, ("sh", "-c", READ): "the last words\n", ("cat",): "x"}
    machine = Scripted({**answers, ("systemctl", "show"): "inactive\n", ("systemctl",): ""}, name="a")
    return SystemdOwner(machine, "blue", "/root/of/blue", lambda: None)


def test_a_program_that_has_ended_cannot_be_settled() -> None:
    with pytest.raises(ComponentExited, match="last words") as caught:
        owner(FAILED).settle(ETCD.name)

    assert (caught.value.status, caught.value.where) == (4, "a: /logs/etcd.log")


def test_a_program_that_was_never_started_is_not_known() -> None:
    with pytest.raises(UsageError, match="member2"):
        owner(RUNS).state("member2/etcd")


def test_all_programs_are_read_by_one_command() -> None:
    api = Program("member1/api", ("api",), Path("/logs/api.log"), needs=(ETCD.name,))
    seen = owner(FAILED, RUNS, programs=(ETCD, api))
    found = seen.programs()

    assert {name: (state.state, state.argv, state.status) for name, state in found.items()} == {
        ETCD.name: ("exited", ETCD.argv, 4),
        api.name: ("running", api.argv, None),
    }
    assert isinstance(seen.machine, Scripted)
    assert len(seen.machine.done) == 1


def test_programs_stop_before_those_that_they_need() -> None:
    api = Program("member1/api", ("api",), Path("/logs/api.log"), needs=(ETCD.name,))
    seen = owner(RUNS, RUNS, programs=(ETCD, api))
    seen.shutdown(within=0.0)

    assert isinstance(seen.machine, Scripted)
    stopped = [each.args[-1] for each in seen.machine.done if each.args[:2] == ("systemctl", "stop")]
    assert stopped == [units.unit_name("blue", api.name), units.unit_name("blue", ETCD.name), units.lease_unit("blue")]
