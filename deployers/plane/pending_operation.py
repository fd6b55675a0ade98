"""A pending change of a running Karmada: a restore, an upgrade, a change of etcd's members.

It is recorded before anything is changed. Only the command that completes it can handle a partial change, so `lab up` and other changes
refuse to run until it is complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab.errors import ProvisionError
from lab.hints import command
from lab.run import Run

KIND, NAME = "karmada", "unfinished"


@dataclass
class PendingOperation:
    """A pending change."""

    run: Run
    facts: dict[str, Any]
    complete: bool = True

    def note(self, **facts: Any) -> None:
        """Record how far it is."""
        self.facts |= facts
        self.run.record(KIND, NAME, self.facts)

    def keep_pending(self) -> None:
        """Keep it pending when the body has passed: only a part was requested."""
        self.complete = False


@contextmanager
def hold_pending(run: Run, what: str, *, again: str, **facts: Any) -> Iterator[PendingOperation]:
    """Record a change as pending and hold the run's lock during the body; if the body fails it stays pending.

    `what` describes it ("a restore"), `again` is the command that completes it. ProvisionError while another change is
    pending; NotPossible while another process changes this lab.
    """
    lock = run.lock(within=5.0)
    try:
        if (known := run.recorded(KIND, NAME)) and known["what"] != what:
            require_none(run)
        run.journal("change", what=what, **facts)
        run.forget("up", "arguments")  # forces `lab up` to check, and so to find the pending change
        change = PendingOperation(run, {"what": what, "again": again, **facts})
        change.note()
        yield change
        if change.complete:
            run.forget(KIND, NAME)
    finally:
        lock.release()


def addon_operation(name: str) -> str:
    """Return what a change of an addon is called: installing goes on with what upgrading or removing left, and the other way round."""
    return f"a change of the addon {name}"


def facts_of(run: Run, what: str) -> dict[str, Any] | None:
    """Return the record of a pending change of that kind; None when there is none."""
    known = run.recorded(KIND, NAME)
    return known if known and known["what"] == what else None


def require_none(run: Run) -> None:
    """Return if no change is pending. ProvisionError names the pending one and the command that completes it."""
    if known := run.recorded(KIND, NAME):
        raise ProvisionError(
            f"{known['what']} of this Karmada was started and is not complete",
            where=str(run.path),
            remedy=f"{known['again']}   (goes on with it){discard_hint(run, known)}",
        )


def discard_hint(run: Run, known: dict[str, Any]) -> str:
    """Return the command that gives a change up, as the end of a remedy; "" where no backup was taken before it."""
    backup = known.get("backup")
    return f", or {command('restore', str(backup), lab=run.id)}   (gives it up)" if backup else ""
