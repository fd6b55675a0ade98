"""Make one file of a copied etcd: a server that only this process reaches applies its log, and `etcdctl snapshot save` writes the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deployers.backup.verify import snapshot_status
from deployers.day2.snapshots.snapshot import StoreState, digest_file
from deployers.etcd.tools import Etcdutl
from lab.errors import CommandFailed
from lab.machines.local import Local
from lab.program import Program
from lab.supervisor.client import Supervisor
from lab.wait import NotYet

CLIENT, PEER = "unix://client.sock:0", "unix://peer.sock:0"
"""Sockets in the directory of the copy, which is 0700: no other user connects. etcd insists on something that looks like a port."""
NAME = "etcd"
WITHIN = 120.0


@dataclass(frozen=True)
class Extractor:
    """Etcd's tools, by which a copy is made into one file."""

    etcdctl: Path
    etcdutl: Path

    def extract(self, etcd: Path, folder: Path, to: Path) -> StoreState:
        """Write the snapshot of the data that this etcd wrote and that was copied to `folder/data`, and return its state.

        The server is alone, whatever members its cluster had (--force-new-cluster). CommandFailed when it or etcdctl fails.
        """
        supervisor, machine = Supervisor(folder), Local(folder)
        with supervisor.hold("a snapshot"):
            supervisor.start(Program(NAME, make_argv(etcd, folder), folder / "etcd.log", cwd=folder))

            def saved() -> None:
                argv = ("env", "-C", str(folder), str(self.etcdctl), "snapshot", "save", str(to), f"--endpoints={CLIENT}")
                try:
                    machine.run(argv, within=WITHIN)
                except CommandFailed as failed:
                    raise NotYet(failed.output.strip()[-200:]) from failed

            supervisor.ready(NAME, saved, within=WITHIN, what=f"{to.stem}'s etcd gives its snapshot")
            supervisor.shutdown(within=0.0)
        status = snapshot_status(Etcdutl(machine, self.etcdutl), to)
        return StoreState(status["revision"], status["totalKey"], digest_file(to))


def make_argv(etcd: Path, folder: Path) -> tuple[str, ...]:
    """Return the command line of the server."""
    return (
        *(str(etcd), f"--name={NAME}", f"--data-dir={folder / 'data'}", "--force-new-cluster"),
        *(f"--listen-client-urls={CLIENT}", f"--advertise-client-urls={CLIENT}"),
        *(f"--listen-peer-urls={PEER}", f"--initial-advertise-peer-urls={PEER}", f"--initial-cluster={NAME}={PEER}"),
        *("--unsafe-no-fsync", "--quota-backend-bytes=8589934592", "--log-level=warn"),
    )
