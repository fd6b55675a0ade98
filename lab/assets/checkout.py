"""Checkout: a local source tree that is built as it lies there, with its uncommitted changes; how a pull request is tested.

Nothing is ever written into it. `content` changes when anything that git does not ignore changes; asking costs two git commands, and
reading only the files that differ from HEAD. A directory that is not a git checkout is keyed by names, sizes and times of its files.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from lab.assets.command import CommandRunner, spawn
from lab.assets.gomodule import parse_go_mod
from lab.errors import UsageError
from lab.limits.account import expand_home

DESCRIBED = re.compile(r"(?P<tag>v\d+\.\d+\.\d+\S*)-(?P<ahead>\d+)-g(?P<commit>[0-9a-f]{40})")
BUILT = {".git", "_output", "node_modules"}  # what a tree that git does not know may hold and a build does not read


@dataclass(frozen=True)
class Checkout:
    """A source tree at one moment. `version` (without v) is what git describes, or 0.0.0-gCOMMIT where no tag is known.

    `commit` is "" where git knows nothing of it; `changed` tells whether it differs from its commit.
    """

    directory: Path
    module: str
    version: str
    content: str
    commit: str
    changed: bool

    @classmethod
    def of(cls, directory: Path, *, module: str, run: CommandRunner = spawn) -> Checkout:
        """The tree at `directory` now. UsageError unless its go.mod is the one of `module`."""
        directory = expand_home(directory).absolute()
        try:
            found = parse_go_mod((directory / "go.mod").read_text()).module
        except OSError as error:
            raise UsageError(
                f"{directory} is not a checkout of {module}",
                where=f"{directory}/go.mod: {error.strerror}",
                remedy="name the directory that git cloned, the one with go.mod",
            ) from error
        if found != module:
            raise UsageError(f"{directory} is not a checkout of {module}", where=f"its go.mod says: module {found}")
        return describe_tree(directory, module, run) or describe_files(directory, module)


def describe_tree(directory: Path, module: str, run: CommandRunner) -> Checkout | None:
    """The tree as git sees it, or None where git does not (no git, no repository, no commit, or a part of a larger one)."""
    git = ("git", "-c", f"safe.directory={directory}", "-C", str(directory))
    env = {"GIT_OPTIONAL_LOCKS": "0"}  # status would refresh the index, which is in the checkout
    head = run((*git, "rev-parse", "--show-prefix", "HEAD"), cwd=directory, env=env)
    lines = head.stdout.split("\n")
    if head.status != 0 or lines[0]:
        return None
    commit = lines[1]
    tag = run((*git, "describe", "--tags", "--long", "--abbrev=40", "--match", "v[0-9]*"), cwd=directory, env=env)
    status = run((*git, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames"), cwd=directory, env=env)
    if status.status != 0:
        return None
    changes = [line for line in status.stdout.split("\0") if line]
    version = f"0.0.0-g{commit[:12]}"
    if tag.status == 0 and (found := DESCRIBED.fullmatch(tag.stdout.strip())):
        version = found["tag"][1:] + (f"-{found['ahead']}-g{commit[:12]}" if found["ahead"] != "0" else "")
    digest = hashlib.sha256(commit.encode())
    for line in sorted(changes):
        path = line[3:]
        vendored = path.startswith("vendor/")  # ten thousand generated files
        digest.update(line.encode() + b"\0" + (stamp_file if vendored else hash_path)(directory / path))
    digest.update(hash_path(directory / "vendor" / "modules.txt"))  # where vendor/ is ignored, as it is upstream
    return Checkout(directory, module, version + "-dirty" * bool(changes), digest.hexdigest()[:16], commit, bool(changes))


def describe_files(directory: Path, module: str) -> Checkout:
    """The tree by names, sizes and times."""
    digest = hashlib.sha256()
    for at, inside, files in os.walk(directory):
        inside[:] = sorted(set(inside) - BUILT)
        for name in sorted(files):
            path = Path(at) / name
            digest.update(str(path).encode() + b"\0" + stamp_file(path))
    content = digest.hexdigest()[:16]
    return Checkout(directory, module, f"0.0.0-g{content[:12]}", content, "", True)


def stamp_file(path: Path) -> bytes:
    """Size and time of a file, which change when it is written."""
    try:
        facts = path.lstat()
    except OSError:
        return b"-"
    return f"{facts.st_size} {facts.st_mtime_ns}\0".encode()


def hash_path(path: Path) -> bytes:
    """What a changed path holds: bytes of a file, target of a link, nothing when it was deleted."""
    try:
        if path.is_symlink():
            return hashlib.sha256(str(path.readlink()).encode()).digest()
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b"-"
