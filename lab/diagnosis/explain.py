"""Put the first cause before an error."""

from __future__ import annotations

from collections.abc import Sequence

from lab.diagnosis.cause import Cause
from lab.errors import LabError

MOST = 5


def put_cause_first(error: LabError, causes: Sequence[Cause]) -> None:
    """Make the first cause the first line of an error, unless that line names its subject already."""
    if causes and not is_named(causes[0], str(error)):
        error.what = f"{causes[0].text}\n{error.what}"
        error.remedy = causes[0].remedy or error.remedy


def is_named(cause: Cause, text: str) -> bool:
    """Return whether the first line of an error already names a cause, or the program that the cause is about."""
    first = text.strip().partition("\n")[0]
    return cause.text in first or ("/" in cause.subject and cause.subject in first)


def render_causes(causes: Sequence[Cause]) -> list[str]:
    """Return the lines that stand before an error: the first cause, then how many others there are, then the remedy."""
    if not causes:
        return []
    first, *others = causes
    lines = [f"cause: {first.text}", *(f"also: {cause.text}" for cause in others[: MOST - 1])]
    if len(others) >= MOST:
        lines.append(f"also: {len(others) - MOST + 1} more")
    return [*lines, *([f"remedy: {first.remedy}"] if first.remedy else [])]
