"""A directory as a destination: names appear whole, what is not ours stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.backup.archive import UnusableBackup
from deployers.backup.destinations.directory import ArchiveFolder
from deployers.tests.destination_fakes import NAMES, OTHER
from lab.errors import NotPossible


def test_what_is_put_is_given_back_and_private(tmp_path: Path) -> None:
    source, copy = tmp_path / "made", tmp_path / "copy"
    source.write_bytes(b"all of it")
    kept = ArchiveFolder(tmp_path / "a" / "b")

    kept.put(source, NAMES[0])
    kept.get(NAMES[0], copy)

    assert copy.read_bytes() == b"all of it"
    assert (kept.folder / NAMES[0]).stat().st_mode & 0o777 == 0o600
    assert [(each.name, each.size) for each in kept.list_archives()] == [(NAMES[0], 9)]


def test_only_archives_are_listed_the_newest_first(tmp_path: Path) -> None:
    for name in (*NAMES, OTHER, "notes.txt", f"{NAMES[0]}.part"):
        (tmp_path / name).write_bytes(b"x")

    assert [each.name for each in ArchiveFolder(tmp_path).list_archives()] == [OTHER, *reversed(NAMES)]
    assert ArchiveFolder(tmp_path / "none").list_archives() == []


def test_what_interrupted_writes_left_is_deleted_of_the_plane_alone(tmp_path: Path) -> None:
    mine, other, foreign = f".{NAMES[0]}.k3x_9a", f".{OTHER}.k3x_9a", ".notes.txt.k3x_9a"
    for name in (mine, other, foreign, NAMES[0]):
        (tmp_path / name).write_bytes(b"half")

    assert ArchiveFolder(tmp_path).discard_unfinished(NAMES[0].split("-")[1] + "ffff") == [mine]
    assert {path.name for path in tmp_path.iterdir()} == {other, foreign, NAMES[0]}


def test_one_that_is_missing_is_unusable_and_deleting_it_is_fine(tmp_path: Path) -> None:
    with pytest.raises(UnusableBackup, match="not found"):
        ArchiveFolder(tmp_path).get(NAMES[0], tmp_path / "copy")
    ArchiveFolder(tmp_path).delete(NAMES[0])


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    source = tmp_path / "made"
    source.write_bytes(b"x")

    with pytest.raises(NotPossible) as refused:
        ArchiveFolder(source / "below").put(source, NAMES[0])

    assert str(source) in (refused.value.where or "")
