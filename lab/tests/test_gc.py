from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from lab import gc, ledger, ports
from lab.docker_engine import record_engine
from lab.errors import NotPossible, UsageError
from lab.run import Run
from lab.session_folder import session_folder
from lab.supervisor import record
from lab.supervisor.client import Supervisor
from lab.supervisor.server import take_lock
from lab.tests.supervision import eventually, is_gone, sleeper
from lab.tests.test_ledger import tagged


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ledger, "ask", lambda *_, **__: ())
    path = tmp_path / "_runs"
    path.mkdir()
    return path


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "ports"


def half(root: Path, name: str, *, old: bool = True) -> Path:
    path = root / name
    path.mkdir()
    (path / "run.json").write_text('{"schema": 1, "as')
    if old:
        os.utime(path / "run.json", (1, 1))
    return path


def test_of_no_runs_nothing_is_removed(root: Path, where: Path) -> None:
    assert gc.sweep(root, where=where) == []
    assert gc.sweep(root / "nowhere", where=where) == []


def test_a_dead_run_keeps_its_directory_and_ports(root: Path, where: Path) -> None:
    run = Run.create("dead", {}, root=root)
    ports.reserve(run.path, 2, where=where)

    assert gc.sweep(root, where=where) == []
    assert run.path.is_dir()
    assert len(ports.reserved_ports(where)) == 2
    assert not (root / "dead.lock").exists()


def test_a_half_written_directory_goes_with_its_ports_once_it_is_not_young(root: Path, where: Path) -> None:
    young, old = half(root, "young", old=False), half(root, "old")
    ports.reserve(old, 1, where=where)
    would = gc.sweep(root, where=where, dry_run=True)

    assert gc.sweep(root, where=where) == would == [gc.RemovedItem("run directory", str(old), "old")]
    assert young.exists()
    assert not old.exists()
    assert ports.reserved_ports(where) == []


def test_an_unrelated_directory_is_left_alone(root: Path, where: Path) -> None:
    (root / "projects" / "data").mkdir(parents=True)
    os.utime(root / "projects", (1, 1))

    assert gc.sweep(root, where=where) == []
    assert list((root / "projects").iterdir()) == [root / "projects" / "data"]
    with pytest.raises(UsageError):
        gc.remove_run(root / "projects", where=where)


@pytest.mark.parametrize("holder", ["supervisor", "command"])
def test_what_is_alive_is_not_touched(root: Path, where: Path, holder: str) -> None:
    run = half(root, "alive")
    lock = take_lock(str(run)) if holder == "supervisor" else None
    command = FileLock(f"{run}.lock", timeout=0)
    if holder == "command":
        command.acquire()
    try:
        assert gc.sweep(root, where=where) == []
        assert gc.is_alive(run)
        with pytest.raises(NotPossible, match="lab down"):
            gc.remove_run(run, where=where)
    finally:
        command.release()
        if lock is not None:
            os.close(lock)
    assert not gc.is_alive(run)


def test_reservations_of_runs_that_are_gone_are_given_back(root: Path, where: Path) -> None:
    gone = root / "gone"
    gone.mkdir()
    (port,) = ports.reserve(gone, 1, where=where)
    gone.rmdir()

    assert gc.sweep(root, where=where) == [gc.RemovedItem("port reservation", str(port), "gone")]
    assert gc.sweep(root, where=where) == []


def test_a_deletion_cut_short_is_finished(root: Path, where: Path) -> None:
    (root / ".one.gone" / "data").mkdir(parents=True)

    assert [item.run for item in gc.sweep(root, where=where)] == ["one"]
    assert list(root.iterdir()) == []


def test_the_folder_of_a_session_that_was_killed_goes_and_that_of_a_living_one_stays(root: Path, where: Path) -> None:
    mine, other = session_folder(root), root / ".session-4000000-7"
    stranger, file = root / ".session-notes", root / ".session-1-1"
    for folder in (mine, other, stranger):
        folder.mkdir()
    (other / "outcome.json").write_text("{}")
    file.touch()
    assert [each.name for each in gc.sweep(root, where=where, dry_run=True)] == [str(other)]
    assert other.exists()

    assert [each.kind for each in gc.sweep(root, where=where)] == ["session folder"]
    assert [path.name for path in sorted(root.iterdir())] == sorted(path.name for path in (mine, stranger, file))


def test_remove_takes_the_directory_too(root: Path, where: Path) -> None:
    run = Run.create("dead", {}, root=root)
    ports.reserve(run.path, 1, where=where)
    (run.path / "supervisor.sock").touch()

    assert [item.kind for item in gc.remove_run(run.path, where=where)] == ["socket", "run directory"]
    assert list(root.iterdir()) == []
    assert ports.reserved_ports(where) == []


@pytest.fixture
def dead_with_process(root: Path) -> Iterator[tuple[Path, int]]:
    run = Run.create("dead", {}, root=root).path
    with tagged(run, "sleep", "1000") as child:
        yield run, child.pid


@pytest.mark.spawns
def test_processes_of_a_dead_run_are_ended(root: Path, where: Path, dead_with_process: tuple[Path, int]) -> None:
    run, pid = dead_with_process
    would = gc.sweep(root, where=where, dry_run=True)
    assert not is_gone(pid)

    assert gc.sweep(root, where=where) == would == [gc.RemovedItem("process", f"sleep (pid {pid})", "dead")]
    assert is_gone(pid)
    assert run.is_dir()


@pytest.mark.spawns
def test_processes_of_a_deleted_run_are_killed_and_those_of_other_roots_are_not(root: Path, where: Path, tmp_path: Path) -> None:
    with tagged(root / "gone", "sleep", "1000") as mine, tagged(tmp_path / "elsewhere" / "gone", "sleep", "1000") as other:
        assert [item.name for item in gc.sweep(root, where=where)] == [f"sleep (pid {mine.pid})"]
        assert is_gone(mine.pid)
        assert not is_gone(other.pid)


@pytest.mark.spawns
def test_a_live_lab_and_what_carries_no_tag_are_not_touched(root: Path, where: Path, tmp_path: Path) -> None:
    run = Run.create("alive", {}, root=root).path
    supervisor = Supervisor(run)
    with supervisor.hold("test"), tagged(tmp_path / "untagged-but-recorded", "sleep", "1000") as stranger:
        supervisor.start(sleeper(run))
        dead = Run.create("dead", {}, root=root).path
        (dead / "processes").mkdir()
        record.write_record(str(dead), {"name": "etcd", "state": "running", "pid": stranger.pid, "start_time": 1})

        assert gc.sweep(root, where=where) == []
        assert supervisor.state("member1/sleeper").runs
        assert not is_gone(stranger.pid)
        supervisor.shutdown()


@pytest.mark.spawns
def test_after_everything_was_killed_a_run_is_swept_clean(root: Path, where: Path) -> None:
    run = Run.create("crashed", {}, root=root).path
    supervisor = Supervisor(run)
    with supervisor.hold("test"):
        pid = supervisor.start(sleeper(run)).pid
        status = supervisor.status()
        assert status
        os.kill(status.pid, 9)
        eventually(lambda: is_gone(status.pid) and is_gone(pid), "both are gone")

    assert [item.kind for item in gc.sweep(root, where=where)] == ["socket"]
    assert ledger.list_leftovers(run, where=where) == []


DOCKER = """#!/bin/sh
echo "$DOCKER_HOST $*" >> {log}
case "$1-$DOCKER_HOST" in ps-tcp://one:1) echo karmada-lab.dead.member1-control-plane; echo karmada-lab.other.x;; esac
"""


@pytest.mark.spawns
def test_containers_of_a_dead_run_are_removed_from_the_engine_that_it_recorded(
    tmp_path: Path, where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, program = tmp_path / "log", tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER.format(log=log))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    run = Run.create("dead", {}, root=tmp_path / "_runs")
    record_engine(run.path, {"DOCKER_HOST": "tcp://one:1", "HOME": str(tmp_path)})
    monkeypatch.setenv("DOCKER_HOST", "tcp://two:2")
    monkeypatch.setenv("DOCKER_CONTEXT", "odd")

    removed = gc.remove_run(run.path, where=where)

    assert ("container", "karmada-lab.dead.member1-control-plane") in {(each.kind, each.name) for each in removed}
    lines = log.read_text().splitlines()
    assert "tcp://one:1 rm --force --volumes karmada-lab.dead.member1-control-plane" in lines
    assert all(line.startswith("tcp://one:1 ") for line in lines)
