"""A fork is refused before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.day2.snapshots.fork import fork_lab, require_new
from deployers.tests.snapshot_fakes import ASKED, a_snapshot
from lab.errors import NotPossible, UsageError
from lab.run import Run


def test_a_lab_that_exists_is_left_alone(tmp_path: Path) -> None:
    Run.create("lab1", ASKED, root=tmp_path)

    with pytest.raises(UsageError):
        fork_lab(a_snapshot(tmp_path), "lab1", root=tmp_path)
    with pytest.raises(UsageError):
        require_new("Not A Name", tmp_path)
    require_new("lab2", tmp_path)


def test_a_damaged_snapshot_is_not_forked(tmp_path: Path) -> None:
    made = a_snapshot(tmp_path)
    made.file("member1").unlink()

    with pytest.raises(NotPossible):
        fork_lab(made, "lab2", root=tmp_path)
    assert not (tmp_path / "lab2").exists()
