"""Wait until a program is ready: it serves, it has ended, or time is up. Whatever owns it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from lab.errors import ComponentExited, LabError, ProvisionError
from lab.supervisor.state import ProgramState
from lab.wait import NotYet, until

T = TypeVar("T")


class Watched(Protocol):
    """**Protocol:** what a wait asks the owner of a program."""

    def state(self, name: str) -> ProgramState:
        """Return a program's state."""
        ...

    def settle(self, name: str) -> ProgramState:
        """Have it restarted from now on when it ends on its own."""
        ...

    def tail(self, state: ProgramState) -> str:
        """Return the last lines that a program logged."""
        ...

    def exit_error(self, state: ProgramState) -> ComponentExited:
        """Return the error of a program that ended."""
        ...


def wait_ready(owner: Watched, name: str, probe: Callable[[], T], *, within: float, what: str | None, every: float) -> T:
    """Wait until `probe` returns, settle the program, and return what the probe returned; errors as in `Supervisor.ready`."""

    def look() -> T:
        try:
            return probe()
        except NotYet:
            state = owner.state(name)
            if not state.runs and state.state != "waiting":
                raise owner.exit_error(state) from None
            raise

    try:
        found = until(look, what=what or f"{name} is ready", within=within, every=every)
    except ProvisionError as error:
        if error.detail is None:
            with suppress(LabError):
                error.detail = owner.tail(owner.state(name))
        raise
    owner.settle(name)
    return found
