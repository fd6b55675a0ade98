"""Files that lab files and inventories name: a relative path begins at the folder of the file that names it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from lab.limits.account import expand_home


def resolve_file(value: Any, folder: Path) -> Any:
    """Return a path as text with the home directory and the folder filled in; "" and values other than text stay as they are."""
    return str(folder / expand_home(Path(value))) if isinstance(value, str) and value else value


def resolve_files(table: Any, keys: Collection[str], folder: Path) -> Any:
    """Return a table with the paths of these keys resolved; any other value stays as it is, for validation to refuse."""
    if not isinstance(table, dict):
        return table
    return {key: resolve_file(value, folder) if key in keys else value for key, value in table.items()}
