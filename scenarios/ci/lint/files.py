"""Find the files of a repository. What is not opened (links, vendored folders, what git ignores) is returned with the reason."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lab.assets.command import CommandRunner
from scenarios.ci.lint.coverage import Reason, Unchecked, Why

VENDORED = frozenset({".venv", "venv", "node_modules", "vendor", "_runs", "_artifacts", "_cells"})
TEST_DATA = frozenset({"testdata"})
GIT = ("git", "-c", "core.fsmonitor=false")  # the repository's own configuration must not start programs


@dataclass
class Tree:
    """The files below `root` by relative name (undecodable bytes as surrogates), and what was not opened."""

    root: Path
    names: list[str] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)


def find_files(root: Path, run: CommandRunner) -> Tree:
    """Walk a folder without following links, and return every name in it exactly once, sorted."""
    tree = Tree(root)
    ignored, submodules = list_ignored(root, run), list_submodules(root, run)
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            entries = list_folder(root / folder)
        except OSError as error:
            tree.unchecked.append(Unchecked(f"{folder}/", "folder", unreadable_reason(error)))
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name == ".git":
                continue  # the repository itself, or a work tree's pointer to it
            if entry.is_dir(follow_symlinks=False):
                why = judge_folder(entry, name, ignored, submodules)
                if why is None:
                    folders.append(name)
                else:
                    tree.unchecked.append(Unchecked(f"{name}/", "folder", why, files=count_files(entry.path)))
            elif entry.is_symlink():
                tree.unchecked.append(Unchecked(name, "link", judge_link(Path(entry.path), root)))
            elif entry.is_file() and name not in ignored:
                tree.names.append(name)
            else:
                reason = Reason.GIT_IGNORED if entry.is_file() else Reason.SPECIAL
                tree.unchecked.append(Unchecked(name, "other", reason.value))
    tree.names.sort()
    return tree


def list_folder(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder, sorted by name."""
    with os.scandir(folder) as found:
        return sorted(found, key=lambda entry: entry.name)


def judge_folder(entry: os.DirEntry[str], name: str, ignored: frozenset[str], submodules: frozenset[str]) -> Why | None:
    """Return why a folder is not opened, or None."""
    if name in submodules or (Path(entry.path) / ".git").exists():
        return Reason.SUBMODULE.value
    if entry.name in VENDORED:
        return Reason.VENDORED.value
    if entry.name in TEST_DATA:
        return Reason.TEST_DATA.value
    return Reason.GIT_IGNORED.value if f"{name}/" in ignored else None


def judge_link(path: Path, root: Path) -> Why:
    """Return where a symbolic link leads."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return Reason.LINK_BROKEN.value
    return Reason.LINK_INSIDE.value if target.is_relative_to(root.resolve()) else Reason.LINK_OUTSIDE.value


def list_ignored(root: Path, run: CommandRunner) -> frozenset[str]:
    """Return what git ignores below root, folders with a slash at the end; nothing when this is no work tree of git."""
    args = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"]
    return frozenset(ask_git(root, run, args))


def list_submodules(root: Path, run: CommandRunner) -> frozenset[str]:
    """Return the paths of submodules, those that are not checked out too."""
    if not (root / ".gitmodules").is_file():
        return frozenset()
    found = ask_git(root, run, ["config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$"])
    return frozenset(each.partition("\n")[2].rstrip("/") for each in found)


def ask_git(root: Path, run: CommandRunner, args: list[str]) -> Iterator[str]:
    """Yield the records of a git command that prints them with a zero byte after each."""
    ran = run([*GIT, *args], cwd=root, env={"GIT_OPTIONAL_LOCKS": "0"})
    return iter([]) if ran.status else (each for each in ran.stdout.split("\0") if each)


def count_files(folder: str) -> int:
    """Return how many files a folder holds."""
    return sum(len(files) for _, _, files in os.walk(folder))


def read_bytes(root: Path, name: str) -> bytes:
    """Return a file's content. OSError when it is not a regular file any more: a FIFO would block for ever."""
    path = root / name
    if not stat.S_ISREG(path.lstat().st_mode):
        raise OSError("not a regular file")
    return path.read_bytes()


def unreadable_reason(error: OSError) -> Why:
    """Return the reason of a file that could not be read, with the system's message."""
    return Why(f"{Reason.UNREADABLE.value.text}: {error.strerror or error}", Reason.UNREADABLE.value.remedy)
