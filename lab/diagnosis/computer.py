"""Causes in the computer that a lab runs on: a full disk, no memory left."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lab.diagnosis.cause import Cause, Rank
from lab.run import Run

LEAST_BYTES = 64 << 20
"""Free bytes of a disk below which etcd and logs soon fail: etcd allocates its log in files of 64 MB (etcd: wal.SegmentSizeBytes)."""
LEAST_FILES = 100


def find_computer_causes(run: Run) -> Iterator[Cause]:
    """Yield a cause for each disk of the lab that is full."""
    seen: set[int] = set()
    for path in (run.path, run.path / "data"):
        try:
            device, disk = path.stat().st_dev, os.statvfs(path)
        except OSError:
            continue
        if device in seen:
            continue
        seen.add(device)
        free = disk.f_bavail * disk.f_frsize
        if free < LEAST_BYTES:
            yield Cause(Rank.COMPUTER, f"the disk of {path} is full: {free >> 20} MiB are free", "free some space there", blocking=True)
        elif disk.f_files and disk.f_favail < LEAST_FILES:
            yield Cause(Rank.COMPUTER, f"the disk of {path} has no inodes left", "remove files there", blocking=True)
