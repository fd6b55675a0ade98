"""A full disk is a cause."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.diagnosis.cause import Rank
from lab.diagnosis.computer import find_computer_causes
from lab.run import Run


@pytest.mark.parametrize(("blocks", "inodes", "causes"), [(1 << 20, 1000, 0), (10, 1000, 1), (1 << 20, 5, 1)])
def test_a_full_disk_is_one_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: int, inodes: int, causes: int) -> None:
    run = Run.create("lab1", {}, root=tmp_path)
    run.folder("data")
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=blocks, f_frsize=4096, f_files=10_000, f_favail=inodes))

    found = list(find_computer_causes(run))

    assert [cause.rank for cause in found] == [Rank.COMPUTER] * causes
