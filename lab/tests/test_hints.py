from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from lab import hints


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virtual environment with a script `lab` below the current directory, and not on PATH."""
    scripts = tmp_path / "my project" / ".venv" / "bin"
    scripts.mkdir(parents=True)
    for name in ("python", "lab"):
        (scripts / name).write_text("#!/bin/sh\n")
        (scripts / name).chmod(0o755)
    monkeypatch.chdir(scripts.parent.parent)
    monkeypatch.setattr(sys, "executable", str(scripts / "python"))
    monkeypatch.setattr(sys, "argv", [str(scripts / "pytest")])
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.delenv("KARMADA_LAB", raising=False)
    return scripts


def test_the_program_is_its_relative_path_where_it_is_not_on_path(venv: Path) -> None:
    assert hints.command("doctor") == ".venv/bin/lab doctor"


def test_the_program_is_its_name_where_path_has_it(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{venv}:/usr/bin")
    assert hints.command("doctor") == "lab doctor"


def test_another_program_of_that_name_on_path_is_not_this_one(venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "lab").write_text("#!/bin/sh\n")
    (other / "lab").chmod(0o755)
    monkeypatch.setenv("PATH", str(other))
    assert hints.program() == ".venv/bin/lab"


def test_a_link_on_path_to_this_program_is_this_one(venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "lab").symlink_to(venv / "lab")
    monkeypatch.setenv("PATH", str(other))
    assert hints.program() == "lab"


def test_from_elsewhere_the_path_is_absolute_and_quoted(venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path / "my project" / ".venv" / "bin")
    assert hints.program() == "./lab"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert shlex.split(hints.command("status")) == [str(venv / "lab"), "status"]


def test_without_a_script_the_module_is_started(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (venv / "lab").unlink()
    assert shlex.split(hints.command("status")) == [sys.executable, "-m", "lab", "status"]


def test_the_started_script_counts_before_the_one_beside_the_interpreter(
    venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "local" / "lab"
    own.parent.mkdir()
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(own), "up"])
    assert hints.program() == str(own)


@pytest.mark.parametrize(
    ("variable", "name", "wanted"),
    [
        (None, "default", "down"),
        (None, "blue", "down --lab blue"),
        ("blue", "blue", "down"),
        ("blue", "default", "down --lab default"),
        ("", "default", "down"),
        (None, None, "down"),
        ("blue", None, "down"),
    ],
)
def test_the_lab_is_named_where_the_command_would_mean_another(
    venv: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None, name: str | None, wanted: str
) -> None:
    if variable is not None:
        monkeypatch.setenv("KARMADA_LAB", variable)
    assert hints.command("down", lab=name) == f".venv/bin/lab {wanted}"


def test_the_lab_stands_before_the_command_that_exec_runs(venv: Path) -> None:
    assert hints.command("exec", "--", "kubectl", "get", "nodes", lab="blue") == ".venv/bin/lab exec --lab blue -- kubectl get nodes"
