"""What is the same for each destination: a stored archive is read back, copies are private, errors name the original."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.backup.archive import UnusableBackup
from deployers.backup.destinations.protocol import archives_of, fetch, store
from deployers.tests.destination_fakes import NAMES, OTHER, Memory
from lab.errors import NotPossible


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / NAMES[0]
    path.write_bytes(b"all of it")
    return path


def test_what_is_stored_is_read_back(made: Path, tmp_path: Path) -> None:
    there = Memory()

    store(there, made, NAMES[0], tmp_path / "scratch")

    assert there.kept == {NAMES[0]: b"all of it"}
    assert [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()] == []


def test_what_is_changed_on_its_way_is_deleted_again(made: Path, tmp_path: Path) -> None:
    there = Memory(spoil=lambda content: content[:-1] + b"T")

    with pytest.raises(NotPossible):
        store(there, made, NAMES[0], tmp_path)

    assert there.kept == {}


def test_what_is_lost_on_its_way_is_no_backup(made: Path, tmp_path: Path) -> None:
    with pytest.raises(NotPossible):
        store(Memory(spoil=lambda _: None), made, NAMES[0], tmp_path)


def test_a_copy_is_private_and_a_missing_one_is_named(tmp_path: Path) -> None:
    there = Memory(kept={NAMES[0]: b"x"})

    assert fetch(there, NAMES[0], tmp_path).stat().st_mode & 0o777 == 0o600
    with pytest.raises(UnusableBackup) as refused:
        fetch(there, OTHER, tmp_path)
    assert refused.value.where == f"memory/{OTHER}"


def test_archives_of_one_plane_are_found() -> None:
    there = Memory(kept=dict.fromkeys((*NAMES, OTHER), b""))

    assert [each.name for each in archives_of(there, "0123abcd" + "0" * 56)] == [NAMES[1], NAMES[0]]
