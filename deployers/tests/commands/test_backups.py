"""`lab backup list`, `show`, `get` and `keygen`: what they print, and that they refuse before anything is created."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployers.backup.encryption import Recipients, write_identity
from deployers.tests.day2_fakes import a_backup
from lab.tests.cli_fakes import invoke


def test_backups_of_a_directory_are_listed(tmp_path: Path) -> None:
    path = a_backup(tmp_path)

    done = invoke("backup", "list", "--from", str(path.parent), "-o", "json")

    (found,) = json.loads(done.out)["backups"]
    assert (found["name"], found["size"], found["encrypted"]) == (path.name, path.stat().st_size, False)
    assert path.name in invoke("backup", "list", "--from", str(path.parent)).out


def test_the_newest_is_shown(tmp_path: Path) -> None:
    path = a_backup(tmp_path)

    done = invoke("backup", "show", "--from", str(path.parent), "-o", "json")

    assert json.loads(done.out)["revision"] == 42


def test_of_an_encrypted_one_its_name_and_head_are_shown(tmp_path: Path) -> None:
    path = a_backup(tmp_path)
    sealed = tmp_path / f"{path.name}.age"
    Recipients.parse([write_identity(tmp_path / "mine")]).encrypt(path, sealed)

    found = json.loads(invoke("backup", "show", str(sealed), "-o", "json").out)

    assert (found["revision"], found["recipients"], found["encrypted"]) == (42, ["X25519"], True)
    assert "versions" not in found
    assert json.loads(invoke("backup", "show", str(sealed), "--identity", str(tmp_path / "mine"), "-o", "json").out)["versions"]


def test_one_is_copied_into_a_directory(tmp_path: Path) -> None:
    path = a_backup(tmp_path)

    done = invoke("backup", "get", "--from", str(path.parent), "--into", str(tmp_path / "copy"))

    assert done.out.strip() == str(tmp_path / "copy" / path.name)
    assert (tmp_path / "copy" / path.name).read_bytes() == path.read_bytes()


def test_a_new_identity_is_private_and_its_recipient_is_printed(tmp_path: Path) -> None:
    done = invoke("backup", "keygen", str(tmp_path / "mine"))

    assert done.out.startswith("age1")
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "noun"),
    [
        ("backup", "destination"),
        ("backup --to ftp://x", "destination"),
        ("backup --to /none --encrypt-to age1x", "recipient"),
        ("backup --to /none list --from /none", "precedes"),
        ("backup --to /none --schedule 0", "schedule"),
        ("backup show", "backup"),
        ("verify", "backup"),
        ("restore --from ftp://x --lab none", "destination"),
        ("restore --from pvc://a/b --lab none", "pvc"),
        ("backup list --from pvc://a/b --lab none", "none"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(words: str, noun: str, tmp_path: Path) -> None:
    done = invoke(*words.split(), KARMADA_LAB_RUNS=str(tmp_path))

    assert (done.code, done.out) == (2, "")
    assert noun in done.err
