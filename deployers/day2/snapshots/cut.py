"""Copy the data of several etcds as it is at one moment, while clients go on writing.

All members are paused together, their files copied, and they go on: some tenths of a second. etcd acknowledges a write when it is in its
log, so the copies hold every write that was acknowledged before, and none that was sent after. Nothing a cluster wrote because of what it
read in another one is there without its cause: while the first etcd is already paused, nothing new can be read from it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from deployers.plane.objects import map_concurrently
from lab.run import make_folder
from lab.supervisor.client import Supervisor

BLOCK = 1 << 20
ZEROS = bytes(BLOCK)


def copy_at_once(supervisor: Supervisor, frozen: Sequence[str], folders: Mapping[Path, Path]) -> float:
    """Copy data directories of etcd while these programs are paused; return for how many seconds they were.

    `folders`: from data directory to copy. Programs that do not run need not be paused.
    """
    if not frozen:
        copy_all(folders)
        return 0.0
    began = time.monotonic()
    with supervisor.freeze(frozen):
        copy_all(folders)
    return time.monotonic() - began


def copy_all(folders: Mapping[Path, Path]) -> None:
    """Copy every directory, all at once."""
    map_concurrently(lambda pair: copy_data(*pair), folders.items())


def copy_data(here: Path, there: Path) -> None:
    """Copy the database and the log of one etcd. Blocks of zeros become holes: etcd makes its log of 64 MB in advance."""
    for file in sorted((here / "member").rglob("*")):
        if file.is_file() and not file.name.endswith(".tmp"):  # a log that is only prepared
            copy_sparse(file, there / file.relative_to(here))


def copy_sparse(here: Path, there: Path) -> None:
    """Copy a file, mode 0600, without the blocks that hold only zeros; its length stays."""
    make_folder(there.parent, mode=0o700)
    with here.open("rb", buffering=0) as source, os.fdopen(os.open(there, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
        length = 0
        while block := source.read(BLOCK):
            if block != ZEROS[: len(block)]:
                copy.seek(length)
                copy.write(block)
            length += len(block)
        copy.truncate(length)
