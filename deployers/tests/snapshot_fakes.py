"""A snapshot on disk, and an etcdutl that makes directories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deployers.day2.snapshots.snapshot import Snapshot, StoreState, digest_file, locate_snapshot, publish
from deployers.etcd.tools import Etcdutl
from lab.component import Component
from lab.machines.machine import Completed

ASKED: dict[str, Any] = {"lab": {"provider": "embedded", "host": {"name": "host"}, "members": [{"name": "member1"}]}, "karmada": None}


def a_snapshot(root: Path, name: str = "one", *, asked: dict[str, Any] | None = None) -> Snapshot:
    """Return a snapshot of one cluster that is on disk."""
    unfinished = root / "scratch" / name
    (unfinished / "etcd").mkdir(parents=True)
    (unfinished / "etcd" / "member1.db").write_bytes(b"data")
    (unfinished / "pki" / "member1").mkdir(parents=True)
    (unfinished / "pki" / "member1" / "ca.key").write_bytes(b"key")
    (unfinished / "records" / "members").mkdir(parents=True)
    (unfinished / "records" / "members" / "member1.json").write_text('{"mode": "push", "state": "joined"}')
    states = {"member1": StoreState(7, 3, digest_file(unfinished / "etcd" / "member1.db"))}
    made = Snapshot(name, locate_snapshot(name, root), "lab", 1.0, 0.25, asked or ASKED, states)
    publish(unfinished, made)
    return made


def a_member(data: Path) -> Component:
    """Return the program of an etcd of one member."""
    flags = {"name": "member1", "data-dir": str(data), "initial-cluster": "member1=unix://p:0", "initial-advertise-peer-urls": "unix://p:0"}
    return Component(name="member1/etcd", binary=Path("etcd"), flags=flags)


class FakeMachine:
    """Runs no command: `snapshot restore` makes its directory, `snapshot status` has a revision."""

    name = "local"

    def __init__(self, revision: int = 40) -> None:
        self.revision = revision
        self.commands: list[tuple[str, ...]] = []

    def run(self, argv: tuple[str, ...], **_: object) -> Completed:
        self.commands.append(argv)
        if "status" in argv:
            return Completed(argv, json.dumps({"revision": self.revision, "hash": 1, "totalKey": 3}), "", 0.0)
        target = next(word.partition("=")[2] for word in argv if word.startswith("--data-dir="))
        Path(target).mkdir()
        (Path(target) / "new").touch()
        return Completed(argv, "", "", 0.0)


def fake_utl(machine: FakeMachine) -> Etcdutl:
    """Return etcdutl on that machine."""
    return Etcdutl(machine, Path("etcdutl"))  # type: ignore[arg-type]  # it only runs commands
