"""Facts about a computer, for checks. `Computer` reads this one, or one with its /proc and /sys below a root; tests use a table."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab import environment
from lab.limits import account
from lab.limits.directory import Directory, inspect_directory
from lab.limits.files import Files


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
        """The last line that is not blank."""
        return next((line.strip() for line in reversed(self.text.splitlines()) if line.strip()), "")


class Probe(Protocol):
    """**Protocol:** facts about a computer. No method changes anything, none raises."""

    def read(self, path: str) -> str | None:
        """Return a file's text; None when it is not there or not ours to read."""
        ...

    def opens(self, path: str) -> bool:
        """Return whether this process can open a device for reading and writing."""
        ...

    def which(self, program: str) -> str | None:
        """Return where a program is in PATH."""
        ...

    def ask(self, argv: Sequence[str], *, within: float = 5.0) -> Answer:
        """Run a read-only command."""
        ...

    def reach(self, url: str, *, within: float = 4.0) -> str:
        """Return "" when a file at that address could be downloaded, or else why not. Its content is not fetched."""
        ...

    def free(self, path: Path) -> int:
        """Return the bytes that can be written to the disk that a path is or would be on."""
        ...

    def is_there(self, path: str) -> bool:
        """Return whether a file or directory of that name exists."""
        ...

    def can_read(self, path: str) -> bool:
        """Return whether this user may read a file."""
        ...

    def directory(self, path: Path) -> Directory:
        """Return what can be done in a directory that is or would be made."""
        ...

    def home(self) -> Path | None:
        """Return this user's home directory; None when nothing says which it is."""
        ...

    def temporary(self) -> Path | None:
        """Return the directory for temporary files; None when none can be written."""
        ...

    def inotify_in_use(self) -> int:
        """Return how many inotify instances this user's processes have."""
        ...

    def threads_in_use(self) -> int:
        """Return how many threads this user's processes have."""
        ...

    def has_address(self, address: str) -> bool:
        """Return whether an address belongs to this computer (to this network namespace)."""
        ...

    def pidfd(self) -> str:
        """Return "" when processes can be named by descriptors, or else why not."""
        ...

    def loopback(self) -> str:
        """Return "" when a connection to 127.0.0.1 works, or else why not."""
        ...

    def time(self) -> float:
        """Return the time of day (seconds since the epoch)."""
        ...


@dataclass(frozen=True)
class Computer(Files):
    """This computer. `engine` says which Docker engine is asked; without it the one that the caller's environment chooses."""

    engine: Mapping[str, str] | None = None

    def is_there(self, path: str) -> bool:
        try:
            return self.below(path).exists()
        except OSError:
            return False

    def can_read(self, path: str) -> bool:
        return os.access(self.below(path), os.R_OK)

    def directory(self, path: Path) -> Directory:
        return inspect_directory(path, self)

    def home(self) -> Path | None:
        return account.home_directory()

    def temporary(self) -> Path | None:
        try:
            return Path(tempfile.gettempdir())
        except FileNotFoundError:
            return None

    def has_address(self, address: str) -> bool:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.bind((address, 0))
        except OSError:
            return False
        return True

    def pidfd(self) -> str:
        try:
            os.close(os.pidfd_open(os.getpid()))
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def loopback(self) -> str:
        try:
            with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=5.0):
                return ""
        except OSError as error:
            return error.strerror or str(error)

    def time(self) -> float:
        return time.time()

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
                env=environment.inherit(argv, engine=self.engine),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=within,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            printed = late.output.decode(errors="replace") if isinstance(late.output, bytes) else late.output or ""
            return Answer(None, f"{printed}\nno answer within {within:g} s")
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
        for process in self._own_processes():
            try:
                count += sum(str(file.readlink()) == "anon_inode:inotify" for file in (process / "fd").iterdir())
            except OSError:  # it has ended meanwhile
                continue
        return count

    def threads_in_use(self) -> int:
        count = 0
        for process in self._own_processes():
            try:
                count += sum(1 for _ in (process / "task").iterdir())
            except OSError:
                continue
        return count

    def _own_processes(self) -> Iterator[Path]:
        try:
            processes = [process for process in self.below("/proc").iterdir() if process.name.isdigit()]
        except OSError:  # not mounted
            return
        for process in processes:
            try:
                if process.stat().st_uid == os.getuid():
                    yield process
            except OSError:
                continue
