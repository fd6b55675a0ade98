"""The tree of errors; each class has its exit code.

    LabError
    ├── UsageError        2   wrong arguments: a flag, a spec, a name
    ├── NotPossible       3   not possible on this computer; the remedy says what is missing
    ├── ProvisionError    4   provisioning failed
    │   ├── NotReady          a timeout; carries the last state seen and its age
    │   ├── WaitBlocked       a wait ended early: what it waited for cannot come; carries the cause
    │   ├── CommandFailed     a command exited with a status other than 0
    │   │   └── CommandLost       the connection to its machine was lost while it ran; it may have done its work
    │   └── ComponentExited   a program of the lab ended on its own; carries the end of its log
    ├── TestsFailed       1   a check of the running system did not hold
    └── LeakError         7   leftovers: something that was made is still there

Foreign errors (httpx, OSError, subprocess, pydantic) are translated where they enter, once; nothing above
`lab` sees them. Raising has no side effect: one place, `lab.__main__`, prints.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path


class LabError(Exception):
    """An error in three lines: what failed and why, where, and the remedy.

    `what` is one sentence. `where` names the file, key, cluster or log. `remedy` is the next thing to type or change.
    `detail` is evidence of several lines (a log tail), printed below.
    """

    exit_code = 4

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None, detail: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy
        self.detail = detail

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where:  {self.where}")
        if self.detail:
            lines.extend(f"  | {line}" for line in self.detail.rstrip().splitlines())
        if self.remedy:
            lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)


class UsageError(LabError):
    """The arguments or the spec are wrong; nothing was created or changed."""

    exit_code = 2


class NotPossible(LabError):
    """Not possible on this computer; the remedy says what would make it possible."""

    exit_code = 3


class ProvisionError(LabError):
    """Provisioning failed: something was started and did not become ready."""

    exit_code = 4


class TestsFailed(LabError):
    """A check of the running system failed."""

    __test__ = False  # pytest collects classes named Test*
    exit_code = 1


class LeakError(LabError):
    """Leftovers: something of this run is still there after it was taken down."""

    exit_code = 7


class NotReady(ProvisionError):
    """A timeout. `last` is the last state seen, `unchanged_for` for how long (s) it had not changed."""

    def __init__(
        self, what: str, *, last: str, within: float, unchanged_for: float, remedy: str | None = None, detail: str | None = None
    ) -> None:
        super().__init__(
            f"{what}: not within {within:g} s",
            where=f"last seen: {last} (unchanged for {unchanged_for:.1f} s)",
            remedy=remedy,
            detail=detail,
        )
        self.last = last
        self.within = within
        self.unchanged_for = unchanged_for


class WaitBlocked(ProvisionError):
    """A wait was ended early, since what it waited for cannot come any more. `cause` says why; `last` is the last state seen."""

    def __init__(self, cause: str, *, what: str, last: str, waited: float) -> None:
        super().__init__(cause, where=f"waited {waited:.0f} s for: {what}; last seen: {last}")
        self.cause = cause
        self.last = last


class CommandFailed(ProvisionError):
    """A command ended with a status other than 0, or could not be started (`status` is then None).

    `command` can be pasted into a shell. `output` is the end of what it printed.
    """

    def __init__(self, argv: Sequence[str], *, status: int | None, output: str, machine: str = "local", remedy: str | None = None) -> None:
        self.argv = tuple(argv)
        self.status = status
        self.output = output
        self.machine = machine
        ended = "could not be started" if status is None else f"exited with {status}"
        super().__init__(f"{Path(argv[0]).name} {ended}", where=f"{machine}: {self.command}", detail=output[-4000:] or None, remedy=remedy)

    @property
    def command(self) -> str:
        return shlex.join(self.argv)


class CommandLost(CommandFailed):
    """The connection to the machine was lost while a command ran there: it may have ended, may still run, may have done its work."""

    def __init__(self, argv: Sequence[str], *, why: str, output: str, machine: str) -> None:
        super().__init__(argv, status=None, output=output, machine=machine, remedy=f"check on {machine} what it did before it is run again")
        self.what = f"{Path(argv[0]).name} was cut off: {why}; it may have run to its end, or may still run"


class ComponentExited(ProvisionError):
    """A program of the lab ended on its own before it was ready. `status` < 0 is the signal that ended it."""

    def __init__(self, name: str, *, status: int | None, log: Path, tail: str, remedy: str | None = None) -> None:
        self.name = name
        self.status = status
        self.log = log
        how = "ended" if status is None else f"killed by signal {-status}" if status < 0 else f"exited with {status}"
        super().__init__(f"{name} {how} before it was ready", where=str(log), detail=tail or "(it printed nothing)", remedy=remedy)
