"""Which archive is meant: a file, a name at a destination, the newest of a plane; decrypted where it has to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.backup import archive
from deployers.backup.archive import UnusableBackup
from deployers.backup.choose import ArchiveChoice, find_newest, open_chosen, readable
from deployers.backup.encryption import Recipients, write_identity
from deployers.karmada import Karmada
from deployers.tests.day2_fakes import a_backup
from deployers.tests.destination_fakes import NAMES, OTHER, Memory
from lab.errors import UsageError


def refuse() -> Karmada:
    raise AssertionError("no lab is needed")


def test_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    path = a_backup(tmp_path)

    with open_chosen(ArchiveChoice(str(path)), tmp_path, refuse, plane=None) as (found, chosen):
        assert found == path
        assert chosen.args == (str(path),)


def test_the_newest_of_a_directory_is_named_in_the_command_that_chooses_it_again(tmp_path: Path) -> None:
    path = a_backup(tmp_path)

    with open_chosen(ArchiveChoice(url=str(path.parent), identity=Path("/key")), tmp_path, refuse, plane=None) as (found, chosen):
        assert found == path
        assert chosen.args == (path.name, "--from", str(path.parent), "--identity", "/key")


@pytest.mark.parametrize(("archive", "url"), [(None, None), ("s3://b/karmada-x.tar.gz", None), ("a/b", "/somewhere"), ("x", "ftp://x")])
def test_a_choice_that_makes_no_sense_is_a_usage_error(archive: str | None, url: str | None, tmp_path: Path) -> None:
    with pytest.raises(UsageError), open_chosen(ArchiveChoice(archive, url), tmp_path, refuse, plane=None):
        pass


def test_the_newest_is_of_the_plane_or_of_the_only_one() -> None:
    there = Memory(kept=dict.fromkeys((*NAMES, OTHER), b""))

    assert find_newest(there, "0123abcd" + "0" * 56).name == NAMES[1]
    with pytest.raises(UsageError, match="2 control planes"):
        find_newest(there, None)
    with pytest.raises(UnusableBackup, match="not found"):
        find_newest(there, "9" * 64)


def test_an_encrypted_one_is_read_by_its_identity_and_its_copy_is_deleted(tmp_path: Path) -> None:
    path = a_backup(tmp_path)
    sealed = tmp_path / f"{path.name}.age"
    Recipients.parse([write_identity(tmp_path / "mine")]).encrypt(path, sealed)

    with readable(sealed, tmp_path / "scratch", tmp_path / "mine") as plain:
        assert archive.read_manifest(plain) == archive.read_manifest(path)
    assert not plain.exists()
    with readable(path, tmp_path / "scratch", None) as plain:
        assert plain == path


def test_errors_name_the_original(tmp_path: Path) -> None:
    sealed = tmp_path / "karmada-x.tar.gz.age"
    (tmp_path / "junk").write_bytes(b"junk")
    Recipients.parse([write_identity(tmp_path / "mine")]).encrypt(tmp_path / "junk", sealed)

    with pytest.raises(UnusableBackup) as refused, readable(sealed, tmp_path / "scratch", tmp_path / "mine") as plain:
        archive.read_manifest(plain)
    assert refused.value.where == str(sealed)
