"""The contract of `Machine`: the same tests for every kind of machine, against real ones."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.errors import CommandFailed, CommandLost, ComponentExited, ProvisionError, UsageError
from lab.machines.container import Container
from lab.machines.machine import Machine
from lab.machines.record import read_machines
from lab.machines.registry import ssh_host
from lab.machines.ssh.connection import SILENT_AFTER, disconnect
from lab.program import Program
from lab.wait import NotYet, until
from scenarios.kit.machines import MachineCase, MachineCases, open_cases

ODD = ["a b", "quote's", 'double"s', "$(touch x)", "-rf", "new\nline", "é✓", "*", "semi;colon", "back\\slash", ".hidden"]
LARGE = os.urandom(1 << 20) * 8
"""8 MiB, every byte value."""

pytestmark = pytest.mark.xdist_group("machines")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MachineCases]:
    """Yield the machines of this module, each made when it is first asked for."""
    with open_cases(tmp_path_factory.mktemp("runs") / f"machines-{secrets.token_hex(2)}") as found:
        yield found


KINDS = ["local", "namespace", "jump", "container", pytest.param("vm", marks=pytest.mark.thorough)]


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest, cases: MachineCases) -> MachineCase:
    """Return a machine of one kind."""
    return cases.open(request.param)


@pytest.fixture
def machine(case: MachineCase) -> Machine:
    return case.machine


@pytest.mark.parametrize("name", ODD)
def test_files_of_odd_names_come_and_go_whole(case: MachineCase, tmp_path: Path, name: str) -> None:
    source, there, back = tmp_path / name, case.folder / "odd" / name / name, tmp_path / "back" / name
    source.write_bytes(name.encode())
    source.chmod(0o640)
    case.machine.put(source, there)
    case.machine.get(there, back)

    assert back.read_bytes() == name.encode()
    assert back.stat().st_mode & 0o777 == 0o640
    assert case.machine.run(["ls", "-A1", "--quoting-style=c", "--", str(there.parent)]).stdout.count("\n") == 1


def test_arguments_variables_and_input_arrive_unchanged(machine: Machine) -> None:
    printed = machine.run(["printf", "%s\\0", *ODD]).stdout
    variables = {f"V{number}": value for number, value in enumerate(ODD)}
    received = machine.run(["sh", "-c", "".join(f'printf "%s\\0" "${name}";' for name in variables)], env=variables).stdout

    assert printed.split("\0")[:-1] == ODD
    assert received.split("\0")[:-1] == ODD
    assert machine.run(["cat"], input="in\nput").stdout == "in\nput"


def test_megabytes_pass_both_ways(case: MachineCase, tmp_path: Path) -> None:
    text = "0123456789abcde\n" * (1 << 19)  # 8 MiB
    (tmp_path / "large").write_bytes(LARGE)
    case.machine.put(tmp_path / "large", case.folder / "large")
    case.machine.get(case.folder / "large", tmp_path / "back")

    assert case.machine.run(["cat"], input=text).stdout == text
    assert case.machine.run(["wc", "-c"], input=LARGE).stdout.strip() == str(len(LARGE))
    assert (tmp_path / "back").read_bytes() == LARGE


@pytest.mark.parametrize("status", [1, 2, 126, 127, 137, 255])
def test_an_exit_status_is_the_commands(machine: Machine, status: int) -> None:
    if status == 137 and isinstance(machine, Container):
        pytest.skip("unknown: Docker reports it as it reports signal 9")
    with pytest.raises(CommandFailed, match="seen") as caught:
        machine.run(["sh", "-c", f"echo seen; echo unseen >&2; exit {status}"])

    assert caught.value.status == status
    assert "unseen" in caught.value.output


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_signal_is_a_negative_status(machine: Machine, number: signal.Signals) -> None:
    with pytest.raises(CommandFailed) as caught:
        machine.run(["sh", "-c", f"kill -{number.value} $$"])

    assert caught.value.status == -number


@pytest.mark.parametrize("command", ["/no/such/program", "no-such-program", "/etc/passwd"])
def test_what_cannot_be_executed_has_no_status(machine: Machine, command: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        machine.run([command])

    assert caught.value.status is None


@pytest.mark.parametrize(
    "case", [*KINDS[:3], *(pytest.param(kind, marks=pytest.mark.thorough) for kind in ("container", "vm"))], indirect=True
)
def test_two_hundred_commands_run_at_once(case: MachineCase) -> None:
    machine = case.machine
    with ThreadPoolExecutor(200) as pool:
        printed = list(pool.map(lambda number: machine.run(["echo", str(number)], within=120.0).stdout.strip(), range(200)))

    assert printed == [str(number) for number in range(200)]


def test_a_command_that_is_too_slow_is_killed_with_its_children(machine: Machine) -> None:
    mark = secrets.randbelow(10**6) + 10**6
    with pytest.raises(CommandFailed, match="began") as caught:
        machine.run(["sh", "-c", f"echo began; sleep {mark} & wait"], within=1.0)

    assert caught.value.status == -signal.SIGKILL

    def look() -> None:
        if f"sleep {mark}\n" in machine.run(["ps", "-eo", "args"]).stdout:
            raise NotYet("its child runs")

    until(look, what="its child is gone", within=5.0)


def test_a_copy_that_fails_leaves_what_was_there(case: MachineCase, tmp_path: Path) -> None:
    there = case.folder / "kept" / "file"
    (tmp_path / "first").write_text("first")
    case.machine.put(tmp_path / "first", there)
    with pytest.raises(ProvisionError):
        case.machine.put(tmp_path / "absent", there)
    with pytest.raises(ProvisionError):
        case.machine.put(tmp_path / "first", there.parent)
    with pytest.raises(ProvisionError):
        case.machine.get(case.folder / "absent", tmp_path / "first")

    assert case.machine.run(["cat", str(there)]).stdout == "first"
    assert case.machine.run(["ls", "-A", str(there.parent)]).stdout == "file\n"
    assert (tmp_path / "first").read_text() == "first"


# -- programs ----------------------------------------------------------------------------------------------------------


def program(case: MachineCase, *argv: str) -> Program:
    name = f"test/{secrets.token_hex(4)}"
    return Program(name, argv, case.owner.run / "logs" / f"{name}.log", cwd=case.owner.run / "data")


def test_a_program_starts_once_and_ends_for_good(case: MachineCase) -> None:
    sleeper = program(case, "sleep", "100000")
    case.machine.start(sleeper)
    first = case.owner.programs()[sleeper.name]
    case.machine.start(sleeper)
    again = case.owner.programs()[sleeper.name]
    with pytest.raises(ProvisionError):
        case.machine.start(Program(sleeper.name, ("sleep", "100001"), sleeper.log, cwd=sleeper.cwd))
    case.machine.stop(sleeper.name)
    case.machine.stop(sleeper.name)

    assert first.runs
    assert first.pid == again.pid
    assert not case.owner.programs()[sleeper.name].runs
    with pytest.raises(UsageError):
        case.machine.stop("test/never")


def test_a_program_that_ends_before_it_is_ready_shows_its_last_lines(case: MachineCase) -> None:
    failing = program(case, "sh", "-c", "echo because; exit 4")
    case.machine.start(failing)

    def never() -> None:
        raise NotYet("no")

    with pytest.raises(ComponentExited, match="because") as caught:
        case.owner.ready(failing.name, never, within=20.0)
    with pytest.raises(CommandFailed) as absent:
        case.machine.start(program(case, "/no/such/program"))

    assert caught.value.status == 4
    assert absent.value.status is None


def test_a_settled_program_that_is_killed_runs_again(case: MachineCase) -> None:
    sleeper = program(case, "sleep", "100000")
    case.machine.start(sleeper)
    case.owner.ready(sleeper.name, lambda: None, within=5.0)
    before = case.owner.programs()[sleeper.name].pid
    case.machine.run(["kill", "-9", str(before)])

    def look() -> None:
        state = case.owner.programs()[sleeper.name]
        if not state.runs or state.pid == before:
            raise NotYet(state.state)

    until(look, what="it runs again", within=10.0)
    case.machine.stop(sleeper.name, kill=True)


def test_a_program_that_heeds_no_signal_is_killed_in_time(case: MachineCase) -> None:
    ready = case.owner.run / "data" / "deaf"
    deaf = program(case, "sh", "-c", "trap '' TERM; : > deaf; while :; do sleep 1; done")
    case.machine.start(deaf)
    case.machine.run(["sh", "-c", 'while [ ! -e "$1" ]; do sleep 0.1; done', "sh", str(ready)])  # or TERM comes before the trap
    began = time.monotonic()
    case.machine.stop(deaf.name, within=1.0)

    assert 0.5 < time.monotonic() - began < 10.0
    assert not case.owner.programs()[deaf.name].runs


# -- a host that does not answer ---------------------------------------------------------------------------------------


@pytest.fixture(params=[1.5, pytest.param(SILENT_AFTER, marks=pytest.mark.thorough)])
def silent_after(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """The seconds without a sign of life after which a connection counts as lost: few, and as they are."""
    monkeypatch.setattr("lab.machines.ssh.connection.SILENT_AFTER", request.param)
    monkeypatch.setattr("lab.machines.ssh.connection.KEEP_ALIVE", request.param / 3)
    return float(request.param)


@pytest.mark.parametrize("how", ["packets", pytest.param("server", marks=pytest.mark.thorough)])
def test_a_host_that_stops_answering_does_not_keep_us(cases: MachineCases, how: str, silent_after: float) -> None:
    case = cases.open("lonely")
    disconnect(ssh_host(read_machines(case.run), case.name, case.run))  # the next connection has this patience
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(case.machine.run, ["sleep", "60"], within=50.0)
        case.wait_command("sleep 60")
        with case.silenced(how):
            began = time.monotonic()
            with pytest.raises(CommandLost):
                running.result()
            lost = time.monotonic() - began
            with pytest.raises(ProvisionError):
                case.machine.run(["true"], within=2.0)
            refused = time.monotonic() - began - lost

    assert lost < 2 * silent_after + 5
    assert refused < 15
    assert case.machine.run(["echo", "back"]).stdout == "back\n"
