"""Hosts of a user that cannot run what the lab file places on them: refused before anything is brought there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from lab.errors import CommandFailed, NotPossible, ProvisionError
from lab.factories.namespace.factory import program_name
from lab.host_checks import check_host
from lab.machines.bring import bring_files
from lab.machines.machine import Machine
from lab.machines.record import read_machines, record_machine
from lab.machines.registry import open_machine, open_remote_owner, ssh_host
from lab.machines.ssh.connection import disconnect
from lab.program import Program
from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.take_down import take_down
from lab.wait import NotYet, until
from scenarios.kit.machines import make_namespaces, open_run, require_namespaces

pytestmark = pytest.mark.xdist_group("machines")
FOLDER = "/var/lib/karmada-lab"
PORT = 12345
LISTEN = "import socket, time; s = socket.create_server(('', 12345)); time.sleep(100000)"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run with the machines a and b."""
    require_namespaces()
    with open_run(tmp_path_factory.mktemp("runs") / f"hosts-{secrets.token_hex(2)}") as found:
        make_namespaces(found, ["a", "b"])
        yield found


@pytest.fixture
def host(run: Run) -> Machine:
    return open_machine(run, "a")


def answer_falsely(host: Machine, program: str, answer: str) -> str:
    """Put a program before the host's own that gives another answer; return its path."""
    path = f"/usr/local/bin/{program}"
    host.run(["sh", "-c", 'cat > "$1" && chmod 755 "$1"', "sh", path], input=f"#!/bin/sh\n{answer}\n")
    return path


@pytest.mark.parametrize(
    ("program", "answer", "noun"),
    [("uname", "echo riscv64", "riscv64"), ("date", 'exec /usr/bin/date -d "1 hour ago" "$@"', "off by -36")],
)
def test_another_architecture_and_another_time_are_refused(host: Machine, program: str, answer: str, noun: str) -> None:
    path = answer_falsely(host, program, answer)
    try:
        with pytest.raises(NotPossible, match=noun) as caught:
            check_host(host, FOLDER, [])
    finally:
        host.run(["rm", path])

    assert caught.value.remedy
    check_host(host, FOLDER, [])


@pytest.mark.parametrize(("options", "noun"), [("size=2m", "free disk"), ("size=2000m,ro", "cannot be written")])
def test_a_disk_that_takes_nothing_is_refused(host: Machine, options: str, noun: str) -> None:
    host.run(["mkdir", "-p", "/mnt/disk"])
    host.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", "/mnt/disk"])
    try:
        with pytest.raises(NotPossible, match=noun):
            check_host(host, "/mnt/disk/lab", [])
        assert host.run(["ls", "-A", "/mnt/disk"]).stdout == ""
    finally:
        host.run(["umount", "/mnt/disk"])


def test_a_port_that_is_taken_there_is_refused(run: Run, host: Machine) -> None:
    owner = open_remote_owner(run, "a")
    host.start(Program("test/listen", ("python3", "-c", LISTEN), owner.run / "logs" / "listen.log"))

    def check_refused() -> None:
        try:
            check_host(host, FOLDER, [PORT])
        except NotPossible as error:
            assert str(PORT) in error.what  # noqa: PT017 (the error ends the wait)
            return
        raise NotYet("it does not listen yet")

    until(check_refused, what="the port is taken", within=10.0)
    check_host(host, FOLDER, [PORT + 1])
    host.stop("test/listen", kill=True)


def test_what_an_earlier_copy_left_half_is_replaced(host: Machine, tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"whole" * 1000)
    there = f"{FOLDER}/cache/half/program"
    host.run(["sh", "-c", 'mkdir -p "${1%/*}" && echo half > "$1"', "sh", there])
    first, second = (bring_files(host, {there: tmp_path / "program"}) for _ in range(2))

    assert (first, second) == ([there], [])
    assert host.run(["wc", "-c", there]).stdout.split()[0] == "5000"
    assert host.run(["ls", "-A", f"{FOLDER}/cache/half"]).stdout == "program\n"


def test_two_runs_on_one_host_do_not_meet(run: Run, host: Machine, tmp_path: Path) -> None:
    other = Run.create(f"other-{secrets.token_hex(2)}", {"lab": {"provider": "embedded"}}, root=tmp_path)
    record_machine(other, "a", replace(read_machines(run)["a"], kind="ssh"))
    try:
        for each in (run, other):
            owner = open_remote_owner(each, "a")
            open_machine(each, "a").start(Program("test/sleep", ("sleep", "100000"), owner.run / "logs" / "sleep.log"))
    finally:
        take_down(other)

    assert open_remote_owner(run, "a").programs()["test/sleep"].runs
    assert other.id not in host.run(["ls", f"{FOLDER}/runs"]).stdout
    host.stop("test/sleep", kill=True)


@pytest.mark.thorough
def test_a_host_that_dies_while_files_are_brought_is_an_error_and_can_be_used_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.machines.ssh.connection.SILENT_AFTER", 2.0)
    monkeypatch.setattr("lab.machines.ssh.connection.KEEP_ALIVE", 0.5)
    disconnect(ssh_host(read_machines(run), "b", run))  # the next connection has this patience
    host, there = open_machine(run, "b"), f"{FOLDER}/cache/large"
    with (tmp_path / "large").open("wb") as file:
        file.truncate(100 << 20)

    def check_begun() -> None:
        if "karmada-lab-part" not in host.run(["ls", "-A", f"{FOLDER}/cache"]).stdout:
            raise NotYet("nothing has arrived")

    host.run(["mkdir", "-p", f"{FOLDER}/cache"])
    with ThreadPoolExecutor(1) as pool:
        copying = pool.submit(bring_files, host, {there: tmp_path / "large"})
        until(check_begun, what="the copy has begun", within=20.0, every=0.05)
        Supervisor(run.path).stop(program_name("b"), kill=True)
        with pytest.raises(ProvisionError):
            copying.result()
    make_namespaces(run, ["a", "b"])
    with pytest.raises(CommandFailed):
        open_machine(run, "b").run(["test", "-e", there])

    assert bring_files(open_machine(run, "b"), {there: tmp_path / "large"}) == [there]
