"""A restore in place is refused before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.day2.snapshots.restore import restore_snapshot
from deployers.tests.snapshot_fakes import ASKED, a_snapshot
from lab.errors import NotPossible, UsageError
from lab.run import Run


def content(run: Run) -> list[Path]:
    return sorted(run.path.rglob("*"))


def test_a_snapshot_of_other_clusters_is_refused(tmp_path: Path) -> None:
    run = Run.create("lab1", {**ASKED, "lab": {**ASKED["lab"], "members": []}}, root=tmp_path)
    before = content(run)

    with pytest.raises(UsageError):
        restore_snapshot(run, a_snapshot(tmp_path))
    assert content(run) == before


def test_a_damaged_snapshot_is_refused(tmp_path: Path) -> None:
    run, made = Run.create("lab1", ASKED, root=tmp_path), a_snapshot(tmp_path)
    made.file("member1").write_bytes(b"other")
    before = content(run)

    with pytest.raises(NotPossible):
        restore_snapshot(run, made)
    assert content(run) == before
