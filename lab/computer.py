"""What `lab doctor` may ask of a computer: seven questions. `Computer` is this one; tests answer from a table."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """How a command ended; `status` is None when it could not be started or did not end in time."""

    status: int | None
    text: str = ""

    @property
    def ok(self) -> bool:
        return self.status == 0

    @property
    def line(self) -> str:
        """The last line that says something."""
        return next((line.strip() for line in reversed(self.text.splitlines()) if line.strip()), "")


class Probe(Protocol):
    """**Protocol:** a computer that is asked what it can do. Nothing that is asked changes it, nothing raises."""

    def read(self, path: str) -> str | None:
        """Return a file's text; None when it is not there or not ours to read."""
        ...

    def opens(self, path: str) -> bool:
        """Can this process open a device for reading and writing?"""
        ...

    def which(self, program: str) -> str | None:
        """Return where a program is in PATH."""
        ...

    def ask(self, argv: Sequence[str], *, within: float = 5.0) -> Answer:
        """Run a command that only looks."""
        ...

    def reach(self, url: str, *, within: float = 4.0) -> str:
        """Return "" when a file at that address could be downloaded, or else why not. Its content is not fetched."""
        ...

    def free(self, path: Path) -> int:
        """Return the bytes that can be written to the disk that a path is or would be on."""
        ...

    def inotify_in_use(self) -> int:
        """Return how many inotify instances this user's processes have."""
        ...


class Computer:
    """This computer."""

    def read(self, path: str) -> str | None:
        try:
            return Path(path).read_text()
        except (OSError, UnicodeDecodeError):
            return None

    def opens(self, path: str) -> bool:
        try:
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    def which(self, program: str) -> str | None:
        return shutil.which(program)

    def ask(self, argv: Sequence[str], *, within: float = 5.0) -> Answer:
        try:
            done = subprocess.run(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=within,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Answer(None, f"no answer within {within:g} s")
        except OSError as error:
            return Answer(None, error.strerror or str(error))
        return Answer(done.returncode, done.stdout)

    def reach(self, url: str, *, within: float = 4.0) -> str:
        request = urllib.request.Request(url, method="HEAD")  # noqa: S310 (addresses of assets.toml, all https)
        try:
            with urllib.request.urlopen(request, timeout=within):  # noqa: S310
                return ""
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}"
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            return str(getattr(reason, "strerror", None) or reason)

    def free(self, path: Path) -> int:
        while not path.exists():
            path = path.parent
        return shutil.disk_usage(path).free

    def inotify_in_use(self) -> int:
        count = 0
        for process in Path("/proc").iterdir():
            try:
                if process.name.isdigit() and process.stat().st_uid == os.getuid():
                    count += sum(str(file.readlink()) == "anon_inode:inotify" for file in (process / "fd").iterdir())
            except OSError:  # it has ended meanwhile
                continue
        return count
