"""A backup without a plane: keys that fit each other, a snapshot that ends in its own digest, and the answers of etcd's tools."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from deployers.backup import archive
from deployers.backup.archive import KEYS, SNAPSHOT, Manifest
from deployers.backup.verify import fingerprint
from deployers.etcd.tools import Etcdutl
from lab.machines.scripted import Scripted
from lab.pki import Authority, ensure_service_account_keys

STATUS = {"hash": 7, "revision": 42, "totalKey": 3, "totalSize": 100}


def files(folder: Path) -> dict[str, Path]:
    """Make what goes into an archive, by its name there."""
    folder.mkdir(parents=True)
    Authority.ensure(folder, "ca", common_name="karmada")
    Authority.ensure(folder, "etcd-ca", common_name="etcd-ca")
    ensure_service_account_keys(folder)
    data = b"etcd" * 1000
    (folder / SNAPSHOT).write_bytes(data + hashlib.sha256(data).digest())
    return {SNAPSHOT: folder / SNAPSHOT, **{f"pki/{name}": folder / name for name in KEYS}}


def manifest(made: dict[str, Path], **changes: Any) -> Manifest:
    """Return the manifest of such files."""
    fields: dict[str, Any] = {
        "plane": fingerprint(made["pki/ca.crt"]),
        "lab": "one",
        "taken": 1_700_000_000.0,
        "revision": STATUS["revision"],
        "hash": STATUS["hash"],
        "keys": STATUS["totalKey"],
        "versions": {"karmada": "1.18.2", "kubernetes": "1.35.4", "etcd": "3.6.5"},
        "server": "https://127.0.0.1:1",
        "spec": {"release": "1.18.2"},
        "members": {"member1": {"mode": "push", "endpoint": "https://127.0.0.1:2"}},
        "parts": {name: archive.measure_part(file) for name, file in made.items()},
    }
    return Manifest(**{**fields, **changes})


def a_backup(folder: Path, **changes: Any) -> Path:
    """Write an archive; `changes` are of its manifest."""
    made = files(folder / "made")
    return archive.write(manifest(made, **changes), made, folder / "kept")


def etcdutl(status: dict[str, int] = STATUS) -> Etcdutl:
    """Return an etcdutl that says this of every snapshot."""
    return Etcdutl(Scripted({("/etcdutl", "snapshot", "status"): json.dumps(status)}), Path("/etcdutl"))
