"""The error of an inventory that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

from lab.errors import UsageError

BY_ANSIBLE = 'let Ansible evaluate it: inventory_command = ["ansible-inventory", "--inventory", "FILE", "--list"]'


def make_error(why: str, where: str, remedy: str = "", *, detail: str = "") -> UsageError:
    """Return the error; `where` is a file, with the line where it is known, or a command."""
    return UsageError(f"reading the inventory failed: {why}", where=where, remedy=remedy or None, detail=detail or None)


def raise_all(errors: Sequence[UsageError], source: str) -> None:
    """Raise one error for all of them; return when there are none."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        lines = [f"{error.where}: {error.what.partition(': ')[2]}" + (f"; {error.remedy}" if error.remedy else "") for error in errors]
        raise UsageError(f"reading the inventory failed: {len(errors)} faults", where=source, detail="\n".join(lines), remedy="fix them")
