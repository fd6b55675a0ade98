"""Snapshots on disk: their names, their content, their end."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deployers.day2.snapshots.snapshot import (
    delete_snapshot,
    list_names,
    locate_snapshot,
    open_snapshot,
    publish,
    require_free,
    require_whole,
    snapshots_root,
)
from deployers.tests.snapshot_fakes import a_snapshot
from lab.errors import NotPossible, UsageError
from lab.run import list_runs


def test_a_snapshot_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = a_snapshot(tmp_path)

    assert open_snapshot("one", tmp_path) == made
    assert list_names(tmp_path) == ["one"]
    assert made.size > 0


def test_others_cannot_read_it_and_it_is_no_lab(tmp_path: Path) -> None:
    made = a_snapshot(tmp_path)

    assert stat.S_IMODE(made.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(snapshots_root(tmp_path).stat().st_mode) == 0o700
    assert "one" not in list_runs(tmp_path)


@pytest.mark.parametrize("name", ["", "../x", "Upper", "a b", "x" * 41])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        locate_snapshot(name, tmp_path)


def test_a_name_is_given_once(tmp_path: Path) -> None:
    made = a_snapshot(tmp_path)
    other = tmp_path / "other"
    other.mkdir()

    with pytest.raises(UsageError):
        require_free("one", tmp_path)
    with pytest.raises(UsageError):
        publish(other, made)
    assert require_free("two", tmp_path) == snapshots_root(tmp_path) / "two"


def test_one_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        open_snapshot("none", tmp_path)
    with pytest.raises(UsageError):
        delete_snapshot("none", tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"schema": 1}', '{"schema": 2}', "[]"])
def test_a_damaged_description_is_refused_and_can_be_deleted(tmp_path: Path, text: str) -> None:
    made = a_snapshot(tmp_path)
    (made.path / "snapshot.json").write_text(text)

    with pytest.raises(NotPossible):
        open_snapshot("one", tmp_path)
    delete_snapshot("one", tmp_path)
    assert list_names(tmp_path) == []


def test_changed_and_missing_data_is_noticed(tmp_path: Path) -> None:
    made = a_snapshot(tmp_path)
    require_whole(made)

    made.file("member1").write_bytes(b"date")
    with pytest.raises(NotPossible, match="member1"):
        require_whole(made)
    made.file("member1").unlink()
    with pytest.raises(NotPossible, match="member1"):
        require_whole(made)
