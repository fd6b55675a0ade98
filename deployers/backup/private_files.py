"""Files of secrets that users give: they must be readable by their owner alone."""

from __future__ import annotations

from pathlib import Path

from lab.errors import UsageError


def require_private(path: Path) -> None:
    """Return when only its owner may read a file. UsageError otherwise, or when there is none."""
    try:
        mode = path.stat().st_mode & 0o777
    except OSError as error:
        raise UsageError(f"cannot read {path.name}: {error.strerror}", where=str(path)) from error
    if mode & 0o077:
        raise UsageError(
            f"{path.name} holds secrets, and others may read it (mode {mode:04o})", where=str(path), remedy=f"chmod 600 {path}"
        )
