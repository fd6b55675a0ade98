from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from deployers.members.karmadactl import environment, karmadactl
from deployers.tests.member_fakes import two_sides
from lab.environment import inherit
from lab.machines import hide_directory
from lab.machines.machine import Completed


def test_each_call_has_a_home_below_the_run_which_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sides = two_sides(tmp_path)
    homes: list[Path] = []

    def run(argv: Sequence[str], *, env: Mapping[str, str], within: float) -> Completed:
        homes.append(Path(env["HOME"]))
        assert homes[-1].is_dir()
        return Completed(tuple(argv), "", "", 0.0)

    monkeypatch.setattr(sides.machine, "run", run)
    karmadactl(sides, "version")
    karmadactl(sides, "version")

    assert len(set(homes)) == 2
    assert all(home.is_relative_to(sides.run.path) and not home.exists() for home in homes)


def test_nothing_of_the_callers_points_karmadactl_anywhere() -> None:
    caller = {**dict.fromkeys(("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"), "odd"), "HOME": "/odd"}
    argv = hide_directory.hide_directory(Path("/"), ("/cache/karmadactl", "join"), by=Path("/empty"))

    env = {**inherit(argv, caller=caller), **environment("/home")}

    assert "odd" not in env.values()
    assert env["KUBECONFIG"] == os.devnull
    assert env["HOME"] == env["TMPDIR"] == "/home"


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
        pytest.skip(ended.stderr)  # this kernel gives nobody a mount namespace

    assert "FileNotFoundError" in ended.stderr
    assert ca.read_text() == "somebody's CA"
