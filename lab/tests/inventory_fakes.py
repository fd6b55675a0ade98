"""An inventory that is read, or the place of its first fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab.errors import UsageError
from lab.inventory.groups import Inventory
from lab.inventory.hosts import make_rows


def read_place(parse_it: Callable[[], Inventory]) -> str:
    """Return the place that a usage error names; "f" when there is none."""
    try:
        make_rows(parse_it(), Path("/"), "f")
    except UsageError as error:
        return str(error.where)
    return "f"
