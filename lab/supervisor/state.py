"""The state of programs, as the supervisor reports it."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import ports
from lab.errors import ComponentExited
from lab.hints import command
from lab.limits.files import Files
from lab.limits.oom import count_kills
from lab.supervisor import record

Json = dict[str, Any]
TOO_MANY_OPEN = "sysctl fs.inotify.max_user_instances=1024   (the labs of this computer use up the kernel's 128); `{doctor}` counts them"
NO_SPACE = "free some space on the disk that the run directory is on, or set KARMADA_LAB_RUNS to another one; then run this again"
OUT_OF_MEMORY = "the kernel has killed programs of this cgroup for lack of memory: raise its limit; `{doctor}` shows the arithmetic"
TRACE = re.compile(r"goroutine \d+ \[")
"""Where a Go program that panics begins to print its stacks: what went wrong stands in the lines before."""

TAIL = 64 << 10
"""Bytes of a log that its last lines are looked for in."""


@dataclass(frozen=True)
class ProgramState:
    """A program as the supervisor sees it.

    `state` is starting, running, stopping, stopped (as asked), exited (on its own, final), waiting (on its own, to be
    restarted after `delay` seconds), or lost (its supervisor died). `status` < 0 is the signal that ended it. `restarts`
    counts those it did not ask for.
    """

    name: str
    state: str
    pid: int | None
    argv: tuple[str, ...]
    log: Path
    status: int | None
    settled: bool
    restarts: int
    started_at: float | None
    ended_at: float | None
    delay: float
    needs: tuple[str, ...]
    ports: tuple[int, ...]
    log_offset: int

    @property
    def runs(self) -> bool:
        return self.state in record.RUNS

    @classmethod
    def parse(cls, row: Json) -> ProgramState:
        values = {field: row[field] for field in cls.__dataclass_fields__}
        for field in ("argv", "needs", "ports"):
            values[field] = tuple(row[field])
        return cls(**values | {"log": Path(row["log"])})

    def tail(self, *, lines: int = 20) -> str:
        """Return the last lines it logged since it was last started, those before a Go program's stacks; "" when there are none."""
        try:
            with self.log.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                start = self.log_offset if self.log_offset <= size else 0  # put aside and emptied meanwhile
                log.seek(max(start, size - TAIL))
                return last_lines(log.read(), lines=lines)
        except OSError:
            return ""


def last_lines(printed: bytes, *, lines: int = 20) -> str:
    """Return the last lines of what a program printed, those before a Go program's stacks."""
    text = printed.decode(errors="replace").splitlines()
    end = next((number for number, line in enumerate(text) if TRACE.match(line)), len(text))
    return "\n".join(text[:end][-lines:])


@dataclass(frozen=True)
class SupervisorStatus:
    """The supervisor and all it owns. `holders` are (label, pid); detached: released for keeps, ends only on request."""

    pid: int
    lease: float
    detached: bool
    closing: bool
    holders: tuple[tuple[str, int], ...]
    programs: dict[str, ProgramState]


def make_exit_error(state: ProgramState) -> ComponentExited:
    """Return the error of a program that ended: status, last log lines, and the remedy where the cause is known.

    Known are a port taken, inotify used up, a full disk, memory used up.
    """
    remedy = None
    for port in state.ports:
        if not ports.is_free(port) and (holder := ports.find_listener(port)):
            remedy = f"port {port} was taken by {holder} meanwhile: end that, or run the command again to be given another port"
            break
    tail = state.tail()
    if remedy is None and "too many open files" in tail:
        remedy = TOO_MANY_OPEN
    if remedy is None and "no space left on device" in tail:
        remedy = NO_SPACE
    if remedy is None and state.status == -signal.SIGKILL and count_kills(Files()).in_group:
        remedy = OUT_OF_MEMORY
    if remedy is not None:
        remedy = remedy.replace("{doctor}", command("doctor"))
    return ComponentExited(state.name, status=state.status, log=state.log, tail=tail, remedy=remedy)
