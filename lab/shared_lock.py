"""A shared and exclusive lock on a lab: many tests that leave it whole use it at once, one that breaks it uses it alone.

Two files in the run directory, locked by the kernel, so the lock of a process that dies is released at once. An exclusive user takes
the turnstile first: later users queue behind it, so it never starves.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.run import Run


@contextmanager
def hold_lab(run: Run, *, alone: bool = False) -> Iterator[None]:
    """Wait for the lab and hold it: shared, or exclusively with `alone`."""
    with (
        hold_lock(run.path / "turnstile.lock", fcntl.LOCK_EX) as turnstile,
        hold_lock(run.path / "turn.lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH),
    ):
        if not alone:
            fcntl.flock(turnstile, fcntl.LOCK_UN)
        yield


@contextmanager
def hold_lock(path: Path, how: int) -> Iterator[int]:
    """Hold a lock on a file; the file stays."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, how)
        yield handle
    finally:
        os.close(handle)
