"""Waiting for a machine that boots: it may come up, end, or neither, and the console says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lab.errors import NotReady, ProvisionError
from lab.factories.vm.connection import translate_errors
from lab.factories.vm.domain import find_cause, read_console
from lab.wait import NotYet, until

T = TypeVar("T")


def until_up(domain: Any, console: Path, probe: Callable[[], T], *, what: str, within: float) -> T:
    """Return what `probe` returns once it does. ProvisionError with the end of the console when the machine ends or time is up.

    The first cause that the console names comes first.
    """

    def look() -> T:
        try:
            return probe()
        except NotYet:
            with translate_errors("asking for the machine's state"):
                if not domain.isActive():
                    raise ProvisionError(f"{what} failed: the machine ended{name_cause(console)}", **show_console(console)) from None
            raise

    try:
        return until(look, what=what, within=within, every=0.5)
    except NotReady as late:
        why = name_cause(console) or f": {late.last}"
        raise ProvisionError(f"{what} failed: not within {within:g} s{why}", **show_console(console)) from late


def name_cause(console: Path) -> str:
    """Return what the console names as a cause, as the end of a sentence."""
    found = find_cause(console)
    return f": {found}" if found else ""


def show_console(console: Path) -> dict[str, str]:
    """Return where the console is, and its end."""
    return {"where": str(console), "detail": read_console(console)}
