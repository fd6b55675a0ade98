"""The folder through which the processes of one test session agree: beside the runs, named after the process that began the session.

The name holds the process that owns it, so no further record is needed: `lab gc` removes the folder when that process has ended.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from lab import proc

NAME = re.compile(r"\.session-(?P<pid>\d+)-(?P<started>\d+)")
"""No name of a lab begins with a dot."""


def session_folder(root: Path, pid: int | None = None) -> Path:
    """Return where the folder of the session that a process (this one) began is or will be; nothing is made."""
    pid = os.getpid() if pid is None else pid
    return root / f".session-{pid}-{proc.read_start_time(pid) or 0}"


def dead_sessions(root: Path) -> Iterator[Path]:
    """Yield the folders of sessions that ended: their process is gone."""
    for path in sorted(root.glob(".session-*")):
        known = NAME.fullmatch(path.name)
        if known and path.is_dir() and not path.is_symlink() and not proc.is_alive(int(known["pid"]), int(known["started"])):
            yield path
