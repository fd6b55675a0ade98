"""What a lock names, as a directory: packages of Python and of Node.js for images, each checked against the hash that the lock has.

    python_packages(Path("requirements.txt"))      pip, every line with its hashes; for Debian's Python
    node_modules(Path("folder"))                   npm, by package-lock.json with its integrity

Each is fetched once on a computer by the ordinary client and kept by what the lock says, like Debian's packages.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lab.assets.cache import Cache, translate_write_errors
from lab.assets.command import CommandRunner, spawn
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.errors import NotPossible, ProvisionError

PYTHON = (3, 11)
"""Of the Debian that images are made of: compiled packages are for the Python that fetches them, so it has to be the same."""


def python_packages(
    requirements: Path, *, cache: Cache | None = None, progress: Sink = ignore_progress, run: CommandRunner = spawn
) -> Path:
    """Return a directory for PYTHONPATH with what a requirements file names, and nothing else.

    NotPossible where this Python is another than images have. ProvisionError when a package cannot be had or is not what its hash says.
    """
    if sys.version_info[:2] != PYTHON:
        wanted = ".".join(map(str, PYTHON))
        raise NotPossible(
            f"packages for the images' Python {wanted} are fetched by a Python {wanted}, and this one is {sys.version.split()[0]}",
            remedy=f"make clean setup PYTHON=python{wanted}",
        )
    # No isolation: what builds a source package is this project's own, locked setuptools, and nothing is fetched beside the lock.
    args = ("install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--no-build-isolation", "--require-hashes")
    argv = (sys.executable, "-m", "pip", *args, "--target", "got", "--requirement", "requirements.txt")
    return fetch_locked("python", [requirements], argv, cache=cache or Cache(), progress=progress, run=run)


def node_modules(folder: Path, *, cache: Cache | None = None, progress: Sink = ignore_progress, run: CommandRunner = spawn) -> Path:
    """Return a directory node_modules with what package-lock.json of a folder names. NotPossible without npm; ProvisionError as above."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotPossible("packages of Node.js are fetched by npm, which is not installed", remedy="on Debian: apt-get install npm")
    argv = (npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    return fetch_locked(
        "node", [folder / "package.json", folder / "package-lock.json"], argv, cache=cache or Cache(), progress=progress, run=run
    )


def fetch_locked(kind: str, lock: Sequence[Path], argv: Sequence[str], *, cache: Cache, progress: Sink, run: CommandRunner) -> Path:
    """Return the directory that a command makes beside copies of the lock's files, as got or node_modules; made now if it is not there."""
    key = hashlib.sha256(b"\0".join([kind.encode(), *(path.read_bytes() for path in lock)])).hexdigest()[:16]
    target = cache.root / "locked" / f"{kind}-{key}"
    if target.is_dir():
        return target
    subject = f"packages of {lock[0].parent.name} ({kind})"
    with cache.working(f"locked-{kind}-{key}", subject=subject, progress=progress) as area, translate_write_errors(cache.root):
        if target.is_dir():  # another run fetched it while we waited
            return target
        began = time.monotonic()
        progress(AssetProgress("fetching", subject))
        for path in lock:
            shutil.copyfile(path, area / path.name)
        ran = run(argv, cwd=area, env={"TMPDIR": str(area)})
        made = next((area / name for name in ("got", "node_modules") if (area / name).is_dir()), None)
        if ran.status or made is None:
            raise ProvisionError(f"downloading {subject} failed", where=str(lock[0]), detail=ran.last_lines, remedy="check the registry")
        target.parent.mkdir(parents=True, exist_ok=True)
        made.rename(target)
        progress(AssetProgress("ready", subject, elapsed=time.monotonic() - began))
    return target
