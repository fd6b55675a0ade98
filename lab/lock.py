"""The lock of a run directory: one command at a time changes a lab, and the others say at once for whom they wait.

The kernel knows who holds it (/proc/locks), so nothing is written down that could be wrong after a crash.
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
        words = list(self.argv)
        if words and Path(words[0]).name.startswith("python"):
            words = words[1:]
            while words and words[0].startswith("-") and words[0] != "-m":
                words = words[1:]
            if words[:1] == ["-m"]:
                words = words[1:]
        return (Path(words[0]).name, *words[1:]) if words else ()

    @property
    def verb(self) -> str:
        """The verb of `lab` that it runs: "up"; "" for anything else."""
        name, *rest = self.program or ("",)
        return next((each for each in rest if not each.startswith("-")), "") if name == "lab" else ""

    @property
    def command(self) -> str:
        """What was typed, as far as that can be known, shortened."""
        line = shlex.join(self.program) or "?"
        return line if len(line) <= 100 else f"{line[:99]}…"

    def __str__(self) -> str:
        paused = ", which is paused" if proc.is_paused(self.pid) else ""
        since = time.strftime("%H:%M:%S", time.localtime(time.time() - self.age))
        return f"`{self.command}` (pid {self.pid}, since {since}{paused})"


WaitReport = Callable[[Holder | None, float], None]
"""Told of a wait for a lock as it begins and every few seconds: who holds it, where that is known, and for how long it was waited (s)."""


def ignore_wait(holder: Holder | None, waited: float) -> None:
    """Tell nobody of a wait."""


def lock_run(path: Path, *, within: float = 600.0, waiting: WaitReport = ignore_wait, clock: Clock = SYSTEM) -> FileLock:
    """Return the lock of a run directory, taken; the directory need not be there. NotPossible when another process keeps it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock", timeout=0)
    began = told = clock.now()
    first = True
    while True:
        try:
            lock.acquire()
        except Timeout as error:
            holder, now = find_holder(Path(f"{path}.lock")), clock.now()
            if now - began >= within:
                raise lock_error(path, holder) from error
            if first or now - told >= REPORT_EVERY:
                waiting(holder, 0.0 if first else now - began)
                first, told = False, now
            clock.sleep(min(0.1, within))
        else:
            return lock


def lock_error(path: Path, holder: Holder | None) -> NotPossible:
    """Return the error of a lock that another process keeps."""
    if holder is None:
        return NotPossible(f"another command is changing lab {path.name}", where=str(path), remedy="wait for it; then run this again")
    return NotPossible(
        f"another command is changing lab {path.name}: {holder}",
        where=str(path),
        remedy=f"wait for it, or end it: kill {holder.pid}; then run this again",
    )


def find_holder(lock: Path, table: Path = Path("/proc/locks")) -> Holder | None:
    """Return the process that holds a lock on a file; None when none does, or it cannot be seen from here."""
    try:
        status = lock.stat()
        rows = table.read_text().splitlines()
    except OSError:
        return None
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for row in rows:
        words = row.split()
        if len(words) >= 6 and "->" not in words and words[5] == place and words[4].isdigit() and (found := read_holder(int(words[4]))):
            return found
    return None


def read_holder(pid: int) -> Holder | None:
    """Return a process as the holder of a lock; None when it is gone."""
    started = proc.read_start_time(pid)
    try:
        argv = tuple(os.fsdecode(word) for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1])
        up = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    if started is None:
        return None
    return Holder(pid, started, argv, max(0.0, up - started / os.sysconf("SC_CLK_TCK")))
