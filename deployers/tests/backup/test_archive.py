"""An archive gives back what was put in, or says in one sentence why it cannot."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from deployers.backup import archive
from deployers.backup.archive import MANIFEST, SNAPSHOT, Manifest, UnusableBackup
from deployers.tests.day2_fakes import a_backup, files, manifest
from lab.errors import NotPossible


def test_an_archive_unpacks_to_its_input_with_private_modes(tmp_path: Path) -> None:
    path = a_backup(tmp_path)
    into = tmp_path / "out"

    assert archive.unpack(path, into) == archive.read_manifest(path)
    assert {str(file.relative_to(into)) for file in into.rglob("*") if file.is_file()} == set(archive.PARTS)
    assert (into / SNAPSHOT).read_bytes() == (tmp_path / "made" / SNAPSHOT).read_bytes()
    assert [path.stat().st_mode & 0o777, (into / "pki/ca.key").stat().st_mode & 0o777] == [0o600, 0o600]
    assert [each.name for each in path.parent.iterdir()] == [path.name], "no half file is left beside it"


def test_any_byte_cut_off_or_changed_is_noticed(tmp_path: Path) -> None:
    path = a_backup(tmp_path)
    whole = path.read_bytes()
    for number, size in enumerate((0, 1, 20, len(whole) // 2, len(whole) - 1)):
        path.write_bytes(whole[:size])
        with pytest.raises(UnusableBackup):
            archive.unpack(path, tmp_path / f"short-{number}")
    for number, at in enumerate(range(12, len(whole), 97)):
        changed = whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]
        path.write_bytes(changed)
        try:
            archive.unpack(path, tmp_path / f"changed-{number}")
        except UnusableBackup:
            continue
        assert gzip.decompress(changed) == gzip.decompress(whole), "a bit of the packing that means nothing"


def test_a_truncated_one_is_called_that(tmp_path: Path) -> None:
    path = a_backup(tmp_path)
    path.write_bytes(path.read_bytes()[:-2000])

    with pytest.raises(UnusableBackup, match="cut short"):
        archive.unpack(path, tmp_path / "out")


@pytest.mark.parametrize(("schema", "age"), [(0, "an older"), (2, "a newer")])
def test_other_versions_are_refused(schema: int, age: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "SCHEMA", schema)
    path = a_backup(tmp_path)
    monkeypatch.undo()

    with pytest.raises(UnusableBackup, match=age):
        archive.read_manifest(path)


def tar(path: Path, entries: dict[str, bytes]) -> Path:
    """Write a gzipped tar with these entries."""
    with gzip.open(path, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as out:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return path


def test_one_that_was_written_before_addons_were_kept_is_read(tmp_path: Path) -> None:
    document = manifest(files(tmp_path / "made")).document()
    assert document.pop("addons") is None

    assert Manifest.parse(document, where="a").addons is None


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    made = files(tmp_path / "made")
    head = json.dumps(manifest(made).document()).encode()
    good = {MANIFEST: head, **{name: file.read_bytes() for name, file in made.items()}}
    strangers = [
        tmp_path / "not-there",
        tmp_path / "text",
        tar(tmp_path / "other.tar.gz", {"README": b"hello"}),
        tar(tmp_path / "of-others.tar.gz", {MANIFEST: b'{"kind": "velero"}'}),
        tar(tmp_path / "no-json.tar.gz", {MANIFEST: b"{"}),
        tar(tmp_path / "more.tar.gz", {**good, "../escaped": b"x"}),
        tar(tmp_path / "less.tar.gz", {name: content for name, content in good.items() if name != "pki/sa.key"}),
        tar(tmp_path / "exchanged.tar.gz", {**good, "pki/sa.key": good["pki/ca.key"]}),
    ]

    for path in strangers:
        with pytest.raises(UnusableBackup):
            archive.unpack(path, tmp_path / "out" / path.name)
    assert not (tmp_path / "escaped").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file")

    with pytest.raises(NotPossible, match="cannot be written"):
        a_backup(tmp_path)


@pytest.mark.parametrize("suffix", ["", ".age"])
def test_the_name_says_when_it_was_taken(suffix: str, tmp_path: Path) -> None:
    name = manifest(files(tmp_path / "made")).file_name + suffix

    assert archive.read_time(name).timestamp() == 1_700_000_000.0


@pytest.mark.parametrize("name", ["notes.txt", "karmada-12345678-20261124T205614Z-r1.tar.gz.part", "karmada-x-20261124T205614Z-r1.tar.gz"])
def test_other_names_are_of_no_archive(name: str) -> None:
    with pytest.raises(ValueError, match=name[:5]):
        archive.read_time(name)
