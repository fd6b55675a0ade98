"""Where the programs of a run are on one machine: its directories there, its address, and what is brought there for them."""

from __future__ import annotations

import io
import socket
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.assets.cache import default_root
from lab.errors import ProvisionError
from lab.machines.bring import bring_files
from lab.machines.lease import record_owner
from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.machines.record import CACHE_FOLDER, ROOT_FOLDER, read_machines
from lab.machines.registry import open_machine, open_remote_owner
from lab.machines.scripted import Scripted
from lab.run import Run

LOOPBACK = "127.0.0.1"
PRIVATE = 0o077
"""Permissions that nothing of a run has on a machine: all of it may hold keys."""


@dataclass(frozen=True)
class Placement:
    """A machine as programs of a run see it.

    `root` is the run's directory there, `cache` the directory of programs that all runs share there. `address` is where servers on it
    listen and are reached. Paths are those of this computer with another beginning: `run.path/pki/x` here is `root/pki/x` there.
    """

    run: Run
    name: str
    machine: Machine
    root: Path
    cache: Path
    address: str

    @property
    def is_local(self) -> bool:
        """Whether it is this computer."""
        return self.root == self.run.path

    def path(self, here: Path) -> Path:
        """Return the path on the machine of a file of the run or of the cache; another path is the same on both. Nothing is copied."""
        for ours, there in ((self.run.path, self.root), (default_root(), self.cache)):
            if here.is_relative_to(ours):
                return there / here.relative_to(ours)
        return here

    def text(self, here: str) -> str:
        """Return a text with the directories of the run and of the cache as the machine has them."""
        return here.replace(str(self.run.path), str(self.root)).replace(str(default_root()), str(self.cache))

    def push(self, files: Iterable[Path]) -> None:
        """Copy files and directories of the run to the machine in one stream. Modes are kept, except that others may read nothing."""
        if self.is_local:
            return
        archive = pack(self.run.path, files)
        record_owner(self.run, self.name, str(self.root))
        self.machine.run(["mkdir", "-p", "-m", "0700", str(self.root)])
        self.machine.run(["tar", "--extract", "--directory", str(self.root), "--same-permissions"], input=archive, within=120.0)

    def make_folders(self, *folders: Path) -> None:
        """Make directories of the run on the machine, 0700."""
        if not self.is_local:
            record_owner(self.run, self.name, str(self.root))
            self.machine.run(["mkdir", "-p", "-m", "0700", *(str(self.path(folder)) for folder in folders)])

    def delete(self, *files: Path) -> None:
        """Delete files and directories of the run on the machine; those that are not there are fine."""
        self.machine.run(["rm", "-rf", "--", *(str(self.path(file)) for file in files)])

    def bring(self, programs: Iterable[Path]) -> None:
        """Copy programs of the cache to the machine unless they are there; see `lab.machines.bring`."""
        if self.is_local:
            return
        bring_files(self.machine, {str(self.path(path)): path for path in sorted(set(programs))})


def place_run(run: Run, name: str) -> Placement:
    """Return the placement of a run on a machine by name, from its record; "" is this computer.

    One that is not made yet, as in a plan, is at its name. ProvisionError when the name of a host has no IPv4 address.
    """
    if name in {"", "local"}:
        return Placement(run, "", Local(run.path), run.path, default_root(), LOOPBACK)
    record = read_machines(run).get(name)
    if record is None:
        return Placement(run, name, Scripted(name=name), Path(ROOT_FOLDER) / "runs" / run.id, Path(ROOT_FOLDER) / CACHE_FOLDER, name)
    root = open_remote_owner(run, name).run
    return Placement(run, name, open_machine(run, name), root, root.parents[1] / CACHE_FOLDER, resolve_address(record.address))


def resolve_address(host: str) -> str:
    """Return the IPv4 address of a host: servers listen on an address, not on a name."""
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise ProvisionError(
            f"resolving {host} failed: {error.strerror}", remedy="give the IPv4 address at which clusters on that host are reached"
        ) from error


def pack(root: Path, files: Iterable[Path]) -> bytes:
    """Return a tar archive of files and directories below `root`, by their paths in it; others may read none of them."""
    buffer = io.BytesIO()

    def close(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mode &= ~PRIVATE
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file in files:
            archive.add(file, arcname=str(file.relative_to(root)), filter=close)
    return buffer.getvalue()
