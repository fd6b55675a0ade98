"""The lock of a run directory: one command at a time changes a lab; the others report at once which process they wait for.

The holder is read from the kernel (/proc/locks), so no file can name a wrong one after a crash.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from lab import proc
from lab.errors import NotPossible
from lab.wait import SYSTEM, Clock

REPORT_EVERY = 5.0
"""Seconds between two reports of a wait."""


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock: its pid and kernel start time, its command line, and for how long it has run (s)."""

    pid: int
    started: int
    argv: tuple[str, ...]
    age: float

    @property
    def program(self) -> tuple[str, ...]:
        """The program and its arguments, without the interpreter that runs it: "lab", "up"; () for a process without any."""
        argv = list(self.argv)
        if argv and Path(argv[0]).name.startswith("python"):
            argv = argv[1:]
            while argv and argv[0].startswith("-") and argv[0] != "-m":
                argv = argv[1:]
            if argv[:1] == ["-m"]:
                argv = [each.removeprefix("karmada_lab.") for each in argv[1:2]] + argv[2:]
        return (Path(argv[0]).name, *argv[1:]) if argv else ()

    @property
    def verb(self) -> str:
        """The verb of `lab` that it runs: "up"; "" for anything else."""
        name, *rest = self.program or ("",)
        return next((each for each in rest if not each.startswith("-")), "") if name == "lab" else ""

    @property
    def command(self) -> str:
        """The command line as typed, where it can be read, shortened."""
        line = shlex.join(self.program) or "?"
        return line if len(line) <= 100 else f"{line[:99]}…"

    def __str__(self) -> str:
        paused = ", which is paused" if proc.is_paused(self.pid) else ""
        since = time.strftime("%H:%M:%S", time.localtime(time.time() - self.age))
        return f"`{self.command}` (pid {self.pid}, since {since}{paused})"


WaitReport = Callable[[Holder | None, float], None]
"""Called when a wait for a lock begins and every few seconds: with the lock's holder, if known, and the seconds waited so far."""


def ignore_wait(holder: Holder | None, waited: float) -> None:
    """Do not report a wait."""


def lock_run(path: Path, *, within: float = 600.0, waiting: WaitReport = ignore_wait, clock: Clock = SYSTEM) -> FileLock:
    """Acquire the lock of a run directory, which need not exist, and return it. NotPossible when it is still held after `within`.

    A thread that holds it may acquire it again; it is released as often as it was acquired.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock", timeout=0, is_singleton=True)
    began = reported = clock.now()
    first = True
    while True:
        try:
            lock.acquire()
        except Timeout as error:
            holder, now = find_holder(Path(f"{path}.lock")), clock.now()
            if now - began >= within:
                raise lock_error(path, holder) from error
            if first or now - reported >= REPORT_EVERY:
                waiting(holder, 0.0 if first else now - began)
                first, reported = False, now
            clock.sleep(min(0.1, within))
        else:
            return lock


def release_lock(lock: FileLock, path: Path) -> None:
    """Release the lock of a run directory. Remove its file, too, where there is no such directory: nothing was created."""
    if not path.exists() and lock.lock_counter == 1:
        Path(lock.lock_file).unlink(missing_ok=True)  # while it is held: who waits for it makes a new file
    lock.release()


def lock_error(path: Path, holder: Holder | None) -> NotPossible:
    """Return the error for a lock that another process holds."""
    if holder is None:
        return NotPossible(
            f"lab {path.name} is locked by another command", where=str(path), remedy="wait until it ends; then run this again"
        )
    return NotPossible(
        f"lab {path.name} is locked by {holder}",
        where=str(path),
        remedy=f"wait until it ends, or end it (kill {holder.pid}); then run this again",
    )


def find_holder(lock: Path, table: Path = Path("/proc/locks")) -> Holder | None:
    """Return the process that holds a lock on a file; None when there is none or it is not visible here."""
    try:
        status = lock.stat()
        rows = table.read_text().splitlines()
    except OSError:
        return None
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for row in rows:
        fields = row.split()
        if (
            len(fields) >= 6
            and "->" not in fields
            and fields[5] == place
            and fields[4].isdigit()
            and (found := read_holder(int(fields[4])))
        ):
            return found
    return None


def read_holder(pid: int) -> Holder | None:
    """Return a process as the holder of a lock; None when it has ended."""
    started = proc.read_start_time(pid)
    try:
        argv = tuple(os.fsdecode(word) for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1])
        up = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    if started is None:
        return None
    return Holder(pid, started, argv, max(0.0, up - started / os.sysconf("SC_CLK_TCK")))
