"""Who keeps a lab alive, and what is left when it is not: nothing."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import proc
from lab.supervisor import record
from lab.supervisor.client import Supervisor
from lab.supervisor.remains import kill_orphans
from lab.tests.supervision import eventually, harness, is_gone, shell, sleeper

pytestmark = pytest.mark.spawns


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "run1"
    path.mkdir()
    yield path
    Supervisor(path).shutdown()
    assert not list(proc.find_tagged_processes(str(path)))


def lab(run: Path) -> Supervisor:
    return Supervisor(run, lease=0.4, backoff=0.05)


def pid_of(supervisor: Supervisor) -> int:
    status = supervisor.status()
    assert status
    return status.pid


def test_sigkill_of_the_supervisor_leaves_no_program(run: Path) -> None:
    supervisor = lab(run)
    with supervisor.hold("test"):
        pids = [supervisor.start(sleeper(run, f"program{n}")).pid for n in range(5)]
        os.kill(pid_of(supervisor), signal.SIGKILL)

        eventually(lambda: all(is_gone(pid) for pid in pids), "no program runs", within=2)


def test_after_that_a_new_supervisor_starts_and_the_old_records_say_lost(run: Path) -> None:
    supervisor = lab(run)
    with supervisor.hold("test"):
        supervisor.start(sleeper(run, "one"))
        old = pid_of(supervisor)
        os.kill(old, signal.SIGKILL)
        eventually(lambda: is_gone(old), "it is gone")
    hold = supervisor.hold("test")

    assert pid_of(supervisor) != old
    assert record.read_records(str(run))["one"]["state"] == "lost"
    assert supervisor.start(sleeper(run, "one")).runs
    supervisor.shutdown()
    assert hold.release() is False


def test_sigkill_of_the_harness_ends_the_lab_after_its_lease(run: Path) -> None:
    other = harness(run, "supervisor.start(sleeper(run, 'one')); supervisor.settle('one')", "supervisor.start(sleeper(run, 'two'))")
    supervisor = lab(run)
    status = supervisor.status()
    assert status
    pids = [status.pid, *(state.pid for state in status.programs.values())]
    other.kill()
    other.communicate()

    eventually(lambda: all(is_gone(pid) for pid in pids), "everything has ended", within=5)
    assert not (run / "supervisor.sock").exists()


def test_a_command_that_a_killed_harness_was_running_goes_with_the_lab(run: Path) -> None:
    other = harness(
        run,
        "import threading",
        "from lab.machines.local import Local",
        "threading.Thread(target=lambda: Local(run).run(['sleep', '999'])).start()",
        "from lab import proc",
        "eventually(lambda: any(proc.read_name(pid) == 'sleep' for pid, _, _ in proc.find_tagged_processes(str(run))), 'it runs')",
    )
    pids = [pid for pid, _, _ in proc.find_tagged_processes(str(run)) if proc.read_name(pid) == "sleep"]
    other.kill()
    other.communicate()

    assert pids
    eventually(lambda: all(is_gone(pid) for pid in pids), "the command has ended", within=5)


def test_another_holder_keeps_the_lab(run: Path) -> None:
    supervisor = lab(run)
    mine = supervisor.hold("mine")
    other = harness(run)
    other.kill()
    other.communicate()
    eventually(lambda: len(supervisor.status().holders) == 1, "one holder is left")  # type: ignore[union-attr]

    assert supervisor.start(sleeper(run)).runs
    assert supervisor.exited("member1/sleeper", within=0.8).runs  # two leases later
    assert mine.release() is True


def test_a_new_holder_within_the_lease_saves_the_lab(run: Path) -> None:
    supervisor = lab(run)
    supervisor.hold("first").release()
    hold = supervisor.hold("second")
    supervisor.start(sleeper(run))

    assert supervisor.exited("member1/sleeper", within=0.8).runs
    assert hold.release() is True


def test_a_lab_released_for_keeps_lives_on_without_holders(run: Path) -> None:
    supervisor = lab(run)
    hold = supervisor.hold("up")
    supervisor.start(sleeper(run))

    assert hold.release(keep=True) is False
    assert hold.release() is False
    assert supervisor.exited("member1/sleeper", within=0.8).runs
    assert supervisor.hold("attached").release() is False  # it is kept: not the last one's to take down
    status = supervisor.status()
    assert status
    assert (status.detached, status.holders) == (True, ())


def test_a_lab_without_any_holder_ends(run: Path) -> None:
    supervisor = lab(run)
    pid = supervisor.start(sleeper(run)).pid

    eventually(lambda: is_gone(pid) and not supervisor.alive(), "everything has ended", within=10)


def test_the_lab_ends_with_its_directory(run: Path) -> None:
    supervisor = lab(run)
    hold = supervisor.hold("test")
    pids = [pid_of(supervisor), supervisor.start(shell(run, "one", "trap '' TERM; while :; do sleep 0.1; done")).pid]
    shutil.rmtree(run)

    eventually(lambda: all(is_gone(pid) for pid in pids), "everything has ended", within=8)
    assert not run.exists()
    assert hold.release() is False


def test_a_lab_that_follows_in_a_directory_of_the_same_name_is_not_touched(run: Path) -> None:
    first = lab(run)
    with first.hold("test"):
        pids = [pid_of(first), first.start(sleeper(run)).pid]
        shutil.rmtree(run)
        run.mkdir()
        second = lab(run)
        with second.hold("test"):
            state = second.start(sleeper(run))
            eventually(lambda: all(is_gone(pid) for pid in pids), "the first has ended", within=8)

            assert second.state(state.name).runs
            assert record.read_records(str(run))[state.name]["pid"] == state.pid


def test_sigterm_to_the_supervisor_takes_the_lab_down(run: Path) -> None:
    supervisor = lab(run)
    with supervisor.hold("test"):
        pids = [pid_of(supervisor), supervisor.start(sleeper(run)).pid]
        os.kill(pids[0] or 0, signal.SIGTERM)

        eventually(lambda: all(is_gone(pid) for pid in pids), "everything has ended", within=5)
    assert record.read_records(str(run))["member1/sleeper"]["state"] == "stopped"


def test_a_pid_that_was_given_to_another_process_is_left_alone(run: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    bystander = Supervisor(elsewhere)
    with bystander.hold("test"):
        state = bystander.start(sleeper(elsewhere))
        started = proc.read_start_time(state.pid or 0)
        assert started
        row = {**record.read_records(str(elsewhere))["member1/sleeper"], "run": str(run)}
        (run / "processes").mkdir()
        record.write_record(str(run), {**row, "start_time": started - 1})

        assert kill_orphans(str(run)) == []
        assert lab(run).hold("test").release() is True  # its supervisor buries what it finds, too
        assert bystander.state("member1/sleeper").runs
        bystander.shutdown()
