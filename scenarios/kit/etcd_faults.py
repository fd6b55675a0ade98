"""What befalls a member of Karmada's etcd: its machine is cut off, its disk is full. Put on and taken off around a member that runs.

A member is cut off in a network namespace of its own, out of which only proxies lead, on the very ports that it had: neither its flags nor
its certificates change. Its disk is a small filesystem in memory. Both carry the lab's name or are in its directory, so that `lab gc`
finds them when whoever made them was killed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deployers.by_binary.installation import open_plane
from deployers.karmada import Karmada
from deployers.plane.layout import etcds
from lab.errors import CommandFailed
from lab.ledger import NAMESPACES, external_name
from lab.proxy import Proxy
from lab.supervisor.client import Supervisor
from scenarios.kit import faults

MIB = 2**20


@dataclass(frozen=True)
class Links:
    """The proxies of a member that is in a namespace of its own: those to and from other members, and those from its clients."""

    peers: Sequence[Proxy]
    clients: Sequence[Proxy]

    def cut(self, *, clients: bool) -> None:
        """Let nothing pass between it and other members any more; with `clients` nothing at all."""
        for proxy in (*self.peers, *(self.clients if clients else ())):
            proxy.cut()

    def mend(self) -> None:
        """Let everything pass again."""
        for proxy in (*self.peers, *self.clients):
            proxy.restore()


@contextmanager
def network_partition(karmada: Karmada, member: str) -> Iterator[Links]:
    """Have a member of etcd be on a machine of its own, as far as its network goes, during the body. Skips where that needs more rights."""
    name, run = external_name(karmada.run.id, member), karmada.run
    program, ports = f"{karmada.name}/{member}", open_plane(karmada).layout.ports
    as_it_was = faults.as_started(run, program)
    supervisor = Supervisor(run.path)

    def ip(*words: str) -> None:
        karmada.machine.run(["ip", *words])

    with ExitStack() as undo:
        try:
            ip("netns", "add", name)
            undo.callback(ip, "netns", "delete", name)
            ip("-n", name, "link", "set", "lo", "up")
        except CommandFailed as failed:
            pytest.skip(f"no network namespace can be made here: {failed.output.strip()}")
        there = NAMESPACES / name
        supervisor.stop(program)
        undo.callback(faults.again, run, as_it_was)
        undo.callback(supervisor.stop, program)
        cables = Links(
            peers=[
                Proxy(ports[f"{member}.peer"], port=ports[f"{member}.peer"], dials=there),
                *(
                    Proxy(ports[f"{each}.peer"], port=ports[f"{each}.peer"], listens=there)
                    for each in etcds(karmada.spec)
                    if each != member
                ),
            ],
            clients=[Proxy(ports[f"{member}.{use}"], port=ports[f"{member}.{use}"], dials=there) for use in ("client", "metrics")],
        )
        for proxy in (*cables.peers, *cables.clients):
            undo.callback(proxy.close)
        inside = ("nsenter", f"--net={there}", "--", *as_it_was.argv)
        faults.again(run, replace(as_it_was, argv=inside))
        yield cables


@dataclass(frozen=True)
class Disk:
    """The small disk of a member."""

    path: Path

    def fill(self) -> None:
        """Leave no byte of it free."""
        with (self.path / "filler").open("wb") as filler:
            left = os.statvfs(self.path)
            os.posix_fallocate(filler.fileno(), 0, left.f_bavail * left.f_frsize)

    def free(self) -> None:
        """Give back what `fill` took."""
        (self.path / "filler").unlink(missing_ok=True)


@contextmanager
def small_disk(karmada: Karmada, member: str, *, room: int = 200) -> Iterator[Disk]:
    """Have a member's data on a disk of so many MiB more than it has, during the body; it keeps what was written to it meanwhile.

    Skips where a filesystem may not be mounted.
    """
    run, machine, supervisor = karmada.run, karmada.machine, Supervisor(karmada.run.path)
    program, data = f"{karmada.name}/{member}", open_plane(karmada).layout.data / member
    aside = data.with_name(f"{member}.aside")
    supervisor.stop(program)
    with ExitStack() as undo:
        undo.callback(faults.start, run, program)
        data.rename(aside)
        undo.callback(aside.rename, data)
        data.mkdir(mode=0o700)
        undo.callback(data.rmdir)
        size = sum(file.stat().st_size for file in aside.rglob("*") if file.is_file()) // MIB + room
        try:
            machine.run(["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=0700", "tmpfs", str(data)])
        except CommandFailed as failed:
            pytest.skip(f"nothing can be mounted here: {failed.output.strip()}")
        undo.callback(machine.run, ["umount", str(data)])
        copy_tree(aside, data)
        undo.callback(copy_tree, data, aside)
        disk = Disk(data)
        undo.callback(disk.free)
        undo.callback(supervisor.stop, program)
        faults.start(run, program)
        yield disk


def copy_tree(source: Path, target: Path) -> None:
    """Have a directory that is there hold what another one holds, and nothing else."""
    for entry in target.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(source, target, dirs_exist_ok=True)
