"""Faults of a member of Karmada's etcd: a network partition and a full disk. Each is injected for a with block and removed after it.

For a partition the member runs in its own network namespace. Proxies on the member's ports connect the namespace, so neither its flags
nor its certificates change. Its disk is a small tmpfs. Both carry the lab's name or are in its directory, so `lab gc` finds them
when the test was killed.
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
from lab.external_names import external_name
from lab.ledger import NAMESPACES
from lab.programs import read_definition
from lab.proxy import Proxy
from lab.supervisor.client import Supervisor
from scenarios.kit import faults

MIB = 2**20


@dataclass(frozen=True)
class Links:
    """The proxies of a member in its own network namespace: those between it and other members, and those for its clients."""

    peers: Sequence[Proxy]
    clients: Sequence[Proxy]

    def cut(self, *, clients: bool) -> None:
        """Block traffic between it and other members; with `clients` also its clients' traffic."""
        for proxy in (*self.peers, *(self.clients if clients else ())):
            proxy.cut()

    def restore(self) -> None:
        """Let all traffic pass again."""
        for proxy in (*self.peers, *self.clients):
            proxy.restore()


@contextmanager
def network_partition(karmada: Karmada, member: str) -> Iterator[Links]:
    """Run a member of etcd in its own network namespace during the body. Skip the test where the rights for that are missing."""
    name, run = external_name(karmada.run.id, member), karmada.run
    program, ports = f"{karmada.name}/{member}", open_plane(karmada).layout.ports
    as_it_was = read_definition(run, program)
    supervisor = Supervisor(run.path)

    def ip(*args: str) -> None:
        karmada.machine.run(["ip", *args])

    with ExitStack() as undo:
        try:
            ip("netns", "add", name)
            undo.callback(ip, "netns", "delete", name)
            ip("-n", name, "link", "set", "lo", "up")
        except CommandFailed as failed:
            pytest.skip(f"cannot create a network namespace here: {failed.output.strip()}")
        there = NAMESPACES / name
        supervisor.stop(program)
        undo.callback(faults.start_again, run, as_it_was)
        undo.callback(supervisor.stop, program)
        links = Links(
            peers=[
                Proxy(ports[f"{member}.peer"], port=ports[f"{member}.peer"], dials=there),
                *(Proxy(ports[f"{each}.peer"], port=ports[f"{each}.peer"], listens=there) for each in etcds(karmada) if each != member),
            ],
            clients=[Proxy(ports[f"{member}.{use}"], port=ports[f"{member}.{use}"], dials=there) for use in ("client", "metrics")],
        )
        for proxy in (*links.peers, *links.clients):
            undo.callback(proxy.close)
        inside = ("nsenter", f"--net={there}", "--", *as_it_was.argv)
        faults.start_again(run, replace(as_it_was, argv=inside))
        yield links


@dataclass(frozen=True)
class SmallDisk:
    """The small filesystem that holds a member's data."""

    path: Path

    def fill(self) -> None:
        """Use up all free space."""
        with (self.path / "filler").open("wb") as filler:
            left = os.statvfs(self.path)
            os.posix_fallocate(filler.fileno(), 0, left.f_bavail * left.f_frsize)

    def free(self) -> None:
        """Release the space that `fill` used."""
        (self.path / "filler").unlink(missing_ok=True)


@contextmanager
def small_disk(karmada: Karmada, member: str, *, room: int = 200) -> Iterator[SmallDisk]:
    """Keep a member's data on a disk with `room` MiB of free space during the body; copy the data back afterwards.

    Skip the test where a filesystem cannot be mounted.
    """
    run, machine, supervisor = karmada.run, karmada.machine, Supervisor(karmada.run.path)
    program, data = f"{karmada.name}/{member}", open_plane(karmada).layout.data / member
    aside = data.with_name(f"{member}.aside")
    supervisor.stop(program)
    with ExitStack() as undo:
        undo.callback(faults.start_program, run, program)
        data.rename(aside)
        undo.callback(aside.rename, data)
        data.mkdir(mode=0o700)
        undo.callback(data.rmdir)
        size = sum(file.stat().st_size for file in aside.rglob("*") if file.is_file()) // MIB + room
        try:
            machine.run(["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=0700", "tmpfs", str(data)])
        except CommandFailed as failed:
            pytest.skip(f"cannot mount a filesystem here: {failed.output.strip()}")
        undo.callback(machine.run, ["umount", str(data)])
        copy_tree(aside, data)
        undo.callback(copy_tree, data, aside)
        disk = SmallDisk(data)
        undo.callback(disk.free)
        undo.callback(supervisor.stop, program)
        faults.start_program(run, program)
        yield disk


def copy_tree(source: Path, target: Path) -> None:
    """Replace the contents of a directory by those of another one."""
    for entry in target.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(source, target, dirs_exist_ok=True)
