"""Packages of Python and Node.js for images: fetched once by what a lock says, or an error with what the client said."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.assets import Cache
from lab.assets.command import CommandResult
from lab.errors import NotPossible, ProvisionError
from lab.images import locked


class Client:
    """pip or npm: makes a directory with what the lock beside it says, or fails."""

    def __init__(self, makes: str, *, status: int = 0) -> None:
        self.makes, self.status = makes, status
        self.asked: list[Sequence[str]] = []

    def __call__(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], on_line: Any = None) -> CommandResult:
        self.asked.append(argv)
        if not self.status:
            (cwd / self.makes).mkdir()
            lock = next(path for path in sorted(cwd.iterdir()) if path.is_file())
            (cwd / self.makes / "module").write_text(lock.read_text())
        return CommandResult(self.status, "", "THESE PACKAGES DO NOT MATCH THE HASHES" if self.status else "")


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(locked, "PYTHON", sys.version_info[:2])
    path = tmp_path / "requirements.txt"
    path.write_text("flask==3.1.0 --hash=sha256:00\n")
    return path


def test_what_a_lock_names_is_fetched_once_and_checked(tmp_path: Path, requirements: Path) -> None:
    pip = Client("got")
    made = [locked.python_packages(requirements, cache=Cache(tmp_path / "cache"), run=pip) for _ in range(2)]

    assert made[0] == made[1]
    assert (made[0] / "module").read_text().startswith("flask")
    assert len(pip.asked) == 1
    assert {"--require-hashes", "--no-deps", "--no-build-isolation"} <= set(pip.asked[0])


def test_another_lock_is_another_directory(tmp_path: Path, requirements: Path) -> None:
    first = locked.python_packages(requirements, cache=Cache(tmp_path / "cache"), run=Client("got"))
    requirements.write_text("flask==3.1.1 --hash=sha256:00\n")

    assert locked.python_packages(requirements, cache=Cache(tmp_path / "cache"), run=Client("got")) != first


def test_a_package_that_is_not_what_its_hash_says_is_an_error_and_nothing_is_kept(tmp_path: Path, requirements: Path) -> None:
    with pytest.raises(ProvisionError) as caught:
        locked.python_packages(requirements, cache=Cache(tmp_path / "cache"), run=Client("got", status=1))
    assert "DO NOT MATCH" in str(caught.value)
    assert not (tmp_path / "cache/locked").exists()


def test_another_python_than_the_images_is_refused(requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locked, "PYTHON", (3, 1))
    with pytest.raises(NotPossible, match=r"Python 3\.1"):
        locked.python_packages(requirements)


def test_node_modules_come_by_npm_ci_and_a_missing_npm_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/npm")
    npm = Client("node_modules")
    made = locked.node_modules(tmp_path, cache=Cache(tmp_path / "cache"), run=npm)

    assert (made / "module").exists()
    assert npm.asked[0][1] == "ci"
    assert "--ignore-scripts" in npm.asked[0]
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(NotPossible, match="npm"):
        locked.node_modules(tmp_path)
