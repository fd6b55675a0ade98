"""Who may use a lab now: many at once who leave it whole, or one alone who breaks it.

Two files beside the run directory, locked by the kernel: a holder that dies lets go at once. Whoever wants the lab alone takes the
turnstile first, so that those who come later queue behind it and it is never starved.
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
    """Wait for and hold a turn: with everybody else who does not want to be alone, or alone."""
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
