"""A command that deletes a directory cannot delete the one that is hidden from it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab.machines import hide_directory


def test_a_directory_that_is_not_there_needs_no_shelter(tmp_path: Path) -> None:
    argv = ("karmadactl", "unregister")

    assert hide_directory.hide_directory(tmp_path / "nowhere", argv, by=tmp_path) == argv
    assert hide_directory.hide_directory(tmp_path, argv, by=tmp_path)[-3:] == ("--", *argv)


@pytest.mark.spawns
def test_a_sheltered_command_cannot_delete_what_is_hidden(tmp_path: Path) -> None:
    hidden, home = tmp_path / "karmada", tmp_path / "home"
    (hidden / "pki").mkdir(parents=True)
    home.mkdir()
    ca = hidden / "pki" / "ca.crt"
    ca.write_text("somebody's CA")
    delete = (sys.executable, "-c", f"import pathlib; pathlib.Path({str(ca)!r}).unlink()")

    ended = subprocess.run(hide_directory.hide_directory(hidden, delete, by=home), capture_output=True, text=True, check=False)
    if ended.returncode == 125:
        pytest.skip(ended.stderr)  # this kernel has no mount namespaces for users

    assert "FileNotFoundError" in ended.stderr
    assert ca.read_text() == "somebody's CA"
