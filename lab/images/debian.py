"""Files of Debian packages as one tar, for images that need more than a program: a shell, openssl, systemd.

`mmdebstrap` fetches packages from the mirrors of this computer's apt. A set of packages is fetched once on a computer and stays as it is
until it is pruned; which versions came is kept beside it. What differs between two computers (host name, resolvers, times) is left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from lab.assets.cache import Cache, translate_write_errors
from lab.assets.command import CommandRunner, spawn
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.count import count
from lab.errors import NotPossible, ProvisionError
from lab.images.image import Packages

SUITE = "bookworm"
ROOT, VERSIONS = "root.tar", "packages.json"
SETUP = "on Debian: make setup-docker   (it installs mmdebstrap too)"
UNREAD = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*")
"""What no container reads; a third of the size."""
LOCAL = re.compile(r"(dev/.+|etc/(hostname|resolv\.conf|machine-id|apt/.*)|var/(cache|log)/.+|var/lib/apt/.+|tmp/.+)")
"""What is of the computer that fetched, or is made at run time."""
GOT = re.compile(r"Get:\d+ \S+ \S+ \S+ (?P<name>\S+) \S+ (?P<version>\S+) \[")


def locate_packages(packages: Packages, cache: Cache) -> Path:
    """Return the directory where the files of a set of packages are or will be."""
    key_parts = "\0".join(["1", SUITE, str(packages.installed), *UNREAD, "", *packages.without, "", *sorted(packages.names)])
    return cache.root / "debian" / f"{SUITE}-{hashlib.sha256(key_parts.encode()).hexdigest()[:16]}"


def read_versions(packages: Packages, cache: Cache) -> dict[str, str]:
    """Return the version of each package of a set that was fetched, those it depends on included; empty before that."""
    try:
        known: dict[str, str] = json.loads((locate_packages(packages, cache) / VERSIONS).read_bytes())
    except FileNotFoundError:
        return {}
    return known


def fetch_root(packages: Packages, *, cache: Cache | None = None, progress: Sink = ignore_progress, run: CommandRunner = spawn) -> Path:
    """Return a tar of these packages and all that they depend on, fetched now if it is not in the cache.

    NotPossible without mmdebstrap; ProvisionError with apt's output when a package cannot be downloaded.
    """
    cache = cache or Cache()
    target = locate_packages(packages, cache)
    if (target / ROOT).exists():
        return target / ROOT
    program = shutil.which("mmdebstrap")
    if program is None:
        raise NotPossible("images with Debian packages need mmdebstrap, which is not installed", remedy=SETUP)
    subject = f"Debian {', '.join(packages.names[:3])}" + (" …" if len(packages.names) > 3 else "")
    with cache.working(f"debian-{target.name}", subject=subject, progress=progress) as area, translate_write_errors(cache.root):
        if (target / ROOT).exists():  # another run fetched it while we waited
            return target / ROOT
        began = time.monotonic()
        got: dict[str, str] = {}

        def on_line(line: str) -> None:
            if found := GOT.match(line):
                got[found["name"]] = found["version"]
                progress(AssetProgress("fetching", subject, len(got), None, "packages", time.monotonic() - began))

        argv = [
            *(
                program,
                f"--variant={'essential' if packages.installed else 'extract'}",
                "--mode=root" if os.geteuid() == 0 else "--mode=auto",
                "--verbose",
            ),
            *(f"--include={','.join(sorted(packages.names))}", "--aptopt=APT::Install-Recommends false", "--skip=output/mknod,check/empty"),
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in UNREAD),
            *(SUITE, str(area / "fetched.tar")),
        ]
        ran = run(argv, cwd=area, env={"TMPDIR": str(area), "SOURCE_DATE_EPOCH": "0"}, on_line=on_line)
        if ran.status:
            raise ProvisionError(
                f"downloading Debian packages failed: {', '.join(packages.names)}",
                detail=ran.last_lines,
                remedy="check that apt-get update works here",
            )
        staged = area / "staged"
        staged.mkdir()
        normalize_root(area / "fetched.tar", staged / ROOT, without=packages.without)
        (staged / VERSIONS).write_text(json.dumps(dict(sorted(got.items())), indent=1))
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.rename(target)
        progress(AssetProgress("ready", subject, elapsed=time.monotonic() - began, note=count(len(got), "package")))
    return target / ROOT


def normalize_root(fetched: Path, pure: Path, *, without: Sequence[str] = ()) -> None:
    """Copy a tar without what is of this computer or this moment, and without what matches a pattern."""
    with tarfile.open(fetched) as source, tarfile.open(pure, "w", format=tarfile.GNU_FORMAT) as target:
        for member in source:
            name = member.name.removeprefix("./")
            if not name or name == "." or LOCAL.fullmatch(name) or any(fnmatchcase(name, pattern) for pattern in without):
                continue
            member.name, member.mtime, member.pax_headers = name, 0, {}
            if member.islnk():
                member.linkname = member.linkname.removeprefix("./")
            target.addfile(member, source.extractfile(member) if member.isreg() else None)
