"""The lock of a run: who holds it is known to the kernel, and told at once to who waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from lab import proc
from lab.errors import NotPossible
from lab.lock import Holder, find_holder, lock_run, release_lock
from lab.run import Run
from lab.tests.supervision import ROOT, eventually


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_a_free_lock_is_taken_without_a_word(tmp_path: Path) -> None:
    said: list[object] = []
    lock_run(tmp_path / "blue", waiting=lambda *what: said.append(what)).release()

    assert said == []


def lock_elsewhere(path: Path) -> FileLock:
    """Acquire the lock of a run directory as another thread does: the thread of the test does not hold it."""
    lock = FileLock(f"{path}.lock", thread_local=False)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lock.acquire).result()
    return lock


def test_a_waiting_caller_is_notified_at_once_and_periodically_until_the_timeout(tmp_path: Path) -> None:
    clock = Clock()
    said: list[tuple[Holder | None, float]] = []
    held = lock_elsewhere(tmp_path / "blue")
    with pytest.raises(NotPossible, match=f"pid {os.getpid()}") as refused:
        lock_run(tmp_path / "blue", within=12.0, waiting=lambda holder, waited: said.append((holder, waited)), clock=clock)
    held.release()

    assert [round(waited) for _, waited in said] == [0, 5, 10]
    assert {holder.pid for holder, _ in said if holder} == {os.getpid()}
    assert f"kill {os.getpid()}" in str(refused.value.remedy)
    assert clock.time == pytest.approx(12.0, abs=0.2)


def test_a_lock_that_is_let_go_is_taken(tmp_path: Path) -> None:
    held = lock_elsewhere(tmp_path / "blue")

    class Letting(Clock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            held.release()

    assert lock_run(tmp_path / "blue", within=5.0, clock=Letting()).is_locked


@pytest.mark.parametrize(
    "row", ["", "nonsense", "1: FLOCK  ADVISORY  WRITE 0 {place} 0 EOF", "1: -> FLOCK  ADVISORY  WRITE {pid} {place} 0 EOF"]
)
def test_an_unreadable_lock_table_names_no_holder(tmp_path: Path, row: str) -> None:
    file = tmp_path / "blue.lock"
    file.touch()
    status = file.stat()
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    (tmp_path / "locks").write_text(row.format(place=place, pid=os.getpid()))

    assert find_holder(file, tmp_path / "locks") is None
    assert find_holder(tmp_path / "none", tmp_path / "locks") is None
    assert find_holder(file, tmp_path / "none") is None


@pytest.mark.parametrize(
    ("argv", "verb", "command"),
    [
        (("/usr/bin/python3", "/w/.venv/bin/lab", "up", "--lab", "a b"), "up", "lab up --lab 'a b'"),
        (("/usr/bin/python3", "-m", "lab", "down"), "down", "lab down"),
        (("/usr/bin/python3", "-m", "pytest", "lab", "up"), "", "pytest lab up"),
        (("pytest", "scenarios"), "", "pytest scenarios"),
        (("/w/bin/lab",), "", "lab"),
        ((), "", "?"),
    ],
)
def test_a_holder_is_called_what_was_typed(argv: tuple[str, ...], verb: str, command: str) -> None:
    assert (Holder(1, 1, argv, 1.0).verb, Holder(1, 1, argv, 1.0).command) == (verb, command)


def test_a_long_command_is_shortened() -> None:
    assert len(Holder(1, 1, ("lab", "up", *["x" * 50] * 9), 1.0).command) == 100


def test_a_thread_that_holds_the_lock_acquires_it_again(tmp_path: Path) -> None:
    path = tmp_path / "blue"
    outer, inner = lock_run(path), lock_run(path)
    release_lock(inner, path)

    assert Path(f"{path}.lock").exists()
    assert outer.is_locked
    release_lock(outer, path)
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_lab_that_was_made_stays(tmp_path: Path) -> None:
    (tmp_path / "blue").mkdir()
    release_lock(lock_run(tmp_path / "blue"), tmp_path / "blue")

    assert (tmp_path / "blue.lock").exists()


@pytest.mark.spawns
@pytest.mark.parametrize("made", [True, False])
def test_down_ends_an_up_that_holds_the_lab_even_one_that_is_paused(tmp_path: Path, made: bool) -> None:
    """The holder is a process that is called `lab up`, holds the lock, and ends as `lab up` does when it is interrupted."""
    if made:
        Run.create("blue", {"lab": {"provider": "embedded", "members": []}}, root=tmp_path)
    script = tmp_path / "lab"
    script.write_text(
        "import signal, sys\nfrom pathlib import Path\nfrom lab import interrupt\nfrom lab.lock import lock_run\ninterrupt.install()\n"
        "held = lock_run(Path(sys.argv[2]))\nprint('held', flush=True)\nsignal.pause()\n"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT), "KARMADA_LAB_RUNS": str(tmp_path)}
    with subprocess.Popen([sys.executable, str(script), "up", str(tmp_path / "blue")], stdout=subprocess.PIPE, text=True, env=env) as up:
        assert up.stdout
        assert up.stdout.readline() == "held\n"
        up.send_signal(signal.SIGSTOP)
        eventually(lambda: proc.is_paused(up.pid), "the holder is paused")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "lab", "down", "--lab", "blue"], capture_output=True, text=True, env=env, timeout=30, check=False
            )
        finally:
            up.kill()

    assert done.returncode == 0, done.stderr
    assert f"pid {up.pid}" in done.stderr.splitlines()[0]
    assert "paused" in done.stderr.splitlines()[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab"]
