"""Unusable machines give a clear error, and a killed lab leaves nothing on its machines."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab import ledger
from lab.errors import CommandFailed, LabError, ProvisionError, UsageError
from lab.factories.login import ensure_key
from lab.gc import remove_run
from lab.machines.lease import LEASE, PROGRAM
from lab.machines.machine import Machine
from lab.machines.record import read_machines, record_machine
from lab.machines.registry import open_machine, open_owner
from lab.machines.route import find_unreached
from lab.program import Program
from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.wait import NotYet, until
from scenarios.kit.machines import make_namespaces, open_run, require_namespaces

pytestmark = pytest.mark.xdist_group("machines")
WORKER = "worker"
PASSWORD = "sudo's secret"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Yield a run with one machine, a, that has an unprivileged user besides root."""
    require_namespaces()
    with open_run(tmp_path_factory.mktemp("runs") / f"faults-{secrets.token_hex(2)}") as found:
        make_namespaces(found, ["a"])
        root = open_machine(found, "a")
        root.run(["useradd", "--create-home", WORKER])
        root.run(["chpasswd"], input=f"{WORKER}:{PASSWORD}\n")
        yield found


def open_machine_with(run: Run, **changes: object) -> Machine:
    """Return machine a with changed connection settings."""
    name = f"b{secrets.token_hex(3)}"
    record_machine(run, name, replace(read_machines(run)["a"], kind="ssh", **changes))  # type: ignore[arg-type]
    return open_machine(run, name)


def find_refusal(machine: Machine) -> LabError:
    """Return the error of a command; assert that it fails."""
    with pytest.raises(LabError) as caught:
        machine.run(["touch", "/ran"])
    return caught.value


def test_keys_and_hosts_that_are_not_the_recorded_ones_are_refused(run: Run, tmp_path: Path) -> None:
    address = read_machines(run)["a"].address
    ensure_key(tmp_path / "other")
    (tmp_path / "changed").write_text(f"{address} {ensure_key(tmp_path / 'host')}\n")
    (tmp_path / "empty").touch()
    for changes, noun in (
        ({"key": str(tmp_path / "other")}, "accept"),
        ({"known_hosts": str(tmp_path / "changed")}, "changed"),
        ({"known_hosts": str(tmp_path / "empty")}, "empty"),
        ({"port": 2}, "listens"),
        ({"address": address.rpartition(".")[0] + ".250"}, "route"),
        ({"address": address.rpartition(".")[0] + ".251", "jump": "a"}, "reach"),
    ):
        error = find_refusal(open_machine_with(run, **changes))
        assert type(error) is ProvisionError
        assert noun in error.what
        assert error.remedy
    assert isinstance(find_refusal(open_machine_with(run, key=str(tmp_path / "none"))), UsageError)
    assert (tmp_path / "empty").read_text() == ""
    with pytest.raises(CommandFailed):
        open_machine(run, "a").run(["test", "-e", "/ran"])


def test_a_host_is_reached_through_a_chain_of_jump_hosts(run: Run, tmp_path: Path) -> None:
    make_namespaces(run, ["outer", "inner"])
    made = read_machines(run)
    for name, host, jump in (("second", "outer", "a"), ("third", "inner", "second")):
        record_machine(run, name, replace(made[host], kind="ssh", jump=jump))
    third = open_machine(run, "third")
    (tmp_path / "file").write_text("through both")
    third.put(tmp_path / "file", Path("/root/file"))

    assert open_machine(run, "inner").run(["cat", "/root/file"]).stdout == "through both"
    assert third.run(["sh", "-c", "echo $SSH_CONNECTION"]).stdout.split()[0] == made["outer"].address
    assert open_machine(run, "second").run(["sh", "-c", "echo $SSH_CONNECTION"]).stdout.split()[0] == made["a"].address


def test_a_machine_says_which_addresses_and_ports_it_does_not_reach(run: Run) -> None:
    make_namespaces(run, ["outer", "inner"])
    made, machine = read_machines(run), open_machine(run, "a")
    open_machine(run, "outer").run(["iptables", "-A", "INPUT", "-p", "tcp", "--dport", "2380", "-j", "DROP"])
    machine.run(["ip", "route", "add", "unreachable", made["inner"].address])
    outer, inner = made["outer"].address, made["inner"].address
    found = find_unreached(machine, [(outer, 22), (outer, 2379), (outer, 2380), (inner, 2380)])
    machine.run(["ip", "route", "del", "unreachable", inner])

    assert found == {(outer, 2380): "no answer within 5 s", (inner, 2380): "No route to host"}


def test_sudo_works_with_and_without_a_password(run: Run, tmp_path: Path) -> None:
    root = open_machine(run, "a")
    if not (Path("/usr/bin/sudo")).exists():
        pytest.skip("unknown: sudo is not installed here")
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n")
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    root.run(["tee", "/etc/sudoers.d/worker"], input=f"{WORKER} ALL=(ALL) ALL\n")
    asked = open_machine_with(run, user=WORKER, sudo=True, sudo_password_file=str(secret))
    (tmp_path / "file").write_text("of root")
    asked.put(tmp_path / "file", Path("/root/deep/file"))
    asked.get(Path("/root/deep/file"), tmp_path / "back")

    assert asked.run(["id", "-un"], input="not for sudo\n").stdout == "root\n"
    assert asked.run(["cat"], input="in\nput").stdout == "in\nput"
    assert root.run(["stat", "-c", "%U", "/root/deep/file"]).stdout == "root\n"
    assert (tmp_path / "back").read_text() == "of root"
    assert "password" in find_refusal(open_machine_with(run, user=WORKER, sudo=True)).what
    assert "wrong" in find_refusal(open_machine_with(run, user=WORKER, sudo=True, sudo_password_file=str(wrong))).what
    assert PASSWORD not in root.run(["ps", "-eo", "args"]).stdout

    root.run(["tee", "/etc/sudoers.d/worker"], input=f"{WORKER} ALL=(ALL) NOPASSWD: ALL\n")
    free = open_machine_with(run, user=WORKER, sudo=True)
    assert free.run(["id", "-un"]).stdout == "root\n"
    assert asked.run(["cat"], input="in\nput").stdout == "in\nput"  # a password that is not asked for reaches no command
    with pytest.raises(CommandFailed, match="not within"):
        free.run(["sh", "-c", "sleep 123456 & wait"], within=1.0)
    assert "sleep 123456" not in root.run(["ps", "-eo", "args"]).stdout


def test_an_unprivileged_user_has_programs_in_the_home_directory(run: Run) -> None:
    machine = open_machine_with(run, user=WORKER)
    owner = open_owner(run, machine.name)
    machine.start(Program("test/sleep", ("sleep", "100000"), owner.run / "logs" / "sleep.log"))

    assert str(owner.run) == f"/home/{WORKER}/.karmada-lab/runs/{run.id}"
    assert owner.programs()["test/sleep"].runs
    machine.stop("test/sleep")


@pytest.mark.parametrize("place", ["full", "readonly"])
def test_a_disk_that_takes_nothing_keeps_what_was_there(run: Run, tmp_path: Path, place: str) -> None:
    root = open_machine(run, "a")
    folder = Path("/mnt") / place
    root.run(["mkdir", "-p", str(folder)])
    root.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)])
    (tmp_path / "small").write_text("kept")
    root.put(tmp_path / "small", folder / "file")
    (tmp_path / "large").write_bytes(bytes(4 << 20))
    if place == "readonly":
        root.run(["mount", "-o", "remount,ro", str(folder)])
    with pytest.raises(ProvisionError, match="No space" if place == "full" else "read-only|written"):
        root.put(tmp_path / "large", folder / "file")

    assert root.run(["cat", str(folder / "file")]).stdout == "kept"
    assert root.run(["ls", "-A", str(folder)]).stdout == "file\n"


def test_a_clock_that_is_off_by_an_hour_ends_no_lease(run: Run) -> None:
    """The lease is counted from the machine's boot and does not depend on its time of day."""
    machine = open_machine_with(run, sudo=False)
    owner = open_owner(run, machine.name)
    machine.start(Program("test/sleep", ("sleep", "100000"), owner.run / "logs" / "sleep.log"))
    lease = float(machine.run(["cat", str(owner.run / "lease")]).stdout)
    up = float(machine.run(["cut", "-d ", "-f1", "/proc/uptime"]).stdout)
    machine.stop("test/sleep")

    assert 0 < lease - up <= LEASE + 1


HARNESS = """
import sys
from pathlib import Path
from lab.machines.registry import open_machine, open_owner
from lab.machines.route import find_unreached
from lab.program import Program
from lab.run import Run
from lab.supervisor.client import Supervisor
from scenarios.kit.machines import make_namespaces
path = Path(sys.argv[1])
run = Run.load(path.name, root=path.parent)
hold = Supervisor(run.path, lease=3.0).hold("harness")
make_namespaces(run, ["a"])
open_machine(run, "a").start(Program("test/sleep", ("sleep", "100000"), open_owner(run, "a").run / "logs" / "sleep.log"))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("also", ["nothing", "supervisor"])
def test_a_killed_harness_leaves_nothing_of_its_machines(tmp_path: Path, also: str) -> None:
    require_namespaces()
    run = Run.create(f"killed-{secrets.token_hex(2)}", {"lab": {"provider": "embedded"}}, root=tmp_path)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    argv = [sys.executable, "-c", HARNESS, str(run.path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as harness:
        assert harness.stdout
        assert harness.stdout.readline() == b"ready\n"
        status = Supervisor(run.path).status()
        assert status
        harness.kill()
    if also == "supervisor":
        os.kill(status.pid, signal.SIGKILL)

    def look() -> None:
        if left := [item for item in ledger.take_census(run.path) if item.kind == "process"]:
            raise NotYet(str(left[0]))

    until(look, what="no process is left", within=30.0)
    removed = {item.kind for item in remove_run(run.path)}
    assert "network namespace" in removed
    ledger.check_leftovers(run.path)


@pytest.mark.thorough
def test_a_lease_that_is_not_renewed_ends_programs_and_files(run: Run) -> None:
    machine, owner = open_machine(run, "a"), open_owner(run, "a")
    machine.start(Program("test/sleep", ("sleep", "654321"), owner.run / "logs" / "sleep.log"))
    Supervisor(run.path).stop(PROGRAM, kill=True)

    def look() -> None:
        try:
            printed = machine.run(["ps", "-eo", "args"]).stdout
        except CommandFailed as failed:  # a command of the run is killed with the rest of it
            raise NotYet(failed.what) from failed
        if "sleep 654321" in printed:
            raise NotYet("the program runs")
        if machine.run(["ls", str(owner.run.parent)]).stdout:
            raise NotYet("files of the run are there")

    until(look, what="the machine is clean", within=LEASE + 15.0)


def test_a_machine_of_another_version_of_python_is_refused(run: Run) -> None:
    """A machine needs Python or systemd to own programs."""
    machine = open_machine(run, "a")
    machine.run(["mv", "/usr/bin/python3", "/usr/bin/python3.hidden"])
    try:
        other = open_machine_with(run, folder="/var/lib/other")
        with pytest.raises(LabError, match="Python") as caught:
            other.start(Program("test/sleep", ("sleep", "1"), Path("/var/lib/other/log")))
    finally:
        machine.run(["mv", "/usr/bin/python3.hidden", "/usr/bin/python3"])

    assert caught.value.exit_code == 3
    assert caught.value.remedy
