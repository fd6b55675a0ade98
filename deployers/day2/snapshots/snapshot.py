"""A snapshot: a directory beside the run directories, so that it outlives the lab that it was taken of.

    <runs>/.snapshots/NAME/snapshot.json     what it is of: written last, the directory gets its name when it is whole
                          etcd/CLUSTER.db    one file of etcd for each cluster, and one for Karmada, as `etcdctl snapshot save` writes them
                          pki/ records/      the lab's keys, and what it recorded of members, Karmada and addons

It holds authorities and keys: the directory has mode 0700.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.errors import NotPossible, UsageError
from lab.hints import command
from lab.run import ID, discard, make_folder, runs_root

Json = dict[str, Any]
SCHEMA = 1
RECORDS = ("members", "karmada", "addons")
"""Kinds of records that describe the state of a lab; the others describe its programs, ports and machines."""
DESCRIPTION = "description.json"


@dataclass(frozen=True)
class StoreState:
    """The content of one etcd: its revision, how many keys it has, and the sha256 of its file."""

    revision: int
    keys: int
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """A whole snapshot. `asked` is the document of its lab, `stores` the etcds by the name of their cluster ("karmada" is Karmada's).

    `frozen` is for how many seconds its lab wrote nothing while it was taken.
    """

    name: str
    path: Path
    lab: str
    created: float
    frozen: float
    asked: Json
    stores: Mapping[str, StoreState]

    @property
    def size(self) -> int:
        """The bytes of its files."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def file(self, store: str) -> Path:
        """Return the file of one etcd."""
        return self.path / "etcd" / f"{store}.db"

    def document(self) -> Json:
        """Return what `snapshot.json` holds, and `-o json` prints."""
        head = {"schema": SCHEMA, "name": self.name, "lab": self.lab, "created": self.created, "frozen": round(self.frozen, 3)}
        return {**head, "asked": self.asked, "stores": {name: asdict(state) for name, state in self.stores.items()}}


def snapshots_root(root: Path | None = None) -> Path:
    """Return where snapshots are: beside the runs. No name of a lab begins with a dot."""
    return (root or runs_root()) / ".snapshots"


def locate_snapshot(name: str, root: Path | None = None) -> Path:
    """Return where the snapshot of that name is or will be. UsageError when it is not a name."""
    if not ID.fullmatch(name):
        raise UsageError(f"invalid snapshot name {name!r}", remedy="use up to 40 lower-case letters, digits and '-', as in a DNS label")
    return snapshots_root(root) / name


def require_free(name: str, root: Path | None = None) -> Path:
    """Return where a new snapshot goes. UsageError when there is one of that name."""
    path = locate_snapshot(name, root)
    if path.exists():
        raise UsageError(
            f"snapshot {name} exists already", where=str(path), remedy=f"{command('snapshot', 'delete', name)}, or choose another name"
        )
    return path


def list_names(root: Path | None = None) -> list[str]:
    """Return the names of all snapshots, sorted."""
    folder = snapshots_root(root)
    return sorted(path.name for path in folder.iterdir() if ID.fullmatch(path.name)) if folder.is_dir() else []


def open_snapshot(name: str, root: Path | None = None) -> Snapshot:
    """Return a snapshot. UsageError when there is none of that name; NotPossible when it is damaged or of another version."""
    path = locate_snapshot(name, root)
    if not path.is_dir():
        known = ", ".join(list_names(root)) or "none"
        raise UsageError(
            f"no snapshot {name!r} exists", where=f"{path.parent} (snapshots: {known})", remedy=command("snapshot", "save", name)
        )
    remove = command("snapshot", "delete", name)
    try:
        head = json.loads((path / "snapshot.json").read_text())
        schema = head["schema"]
        if schema == SCHEMA:
            stores = {store: StoreState(**state) for store, state in head["stores"].items()}
            return Snapshot(head["name"], path, head["lab"], head["created"], head["frozen"], head["asked"], stores)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotPossible(f"snapshot {name} is damaged: {error}", where=str(path / "snapshot.json"), remedy=remove) from error
    raise NotPossible(
        f"snapshot {name} is of another version (schema {schema}; this one is {SCHEMA})",
        where=str(path),
        remedy=f"use the version that made it, or {remove}",
    )


def require_whole(snapshot: Snapshot) -> None:
    """Return if every file of etcd is as it was written. NotPossible names the first that is not."""
    for name, state in snapshot.stores.items():
        file = snapshot.file(name)
        if not file.is_file() or digest_file(file) != state.sha256:
            raise NotPossible(
                f"snapshot {snapshot.name} is damaged: its data of {name} {'differs' if file.is_file() else 'is missing'}",
                where=str(file),
                remedy=f"{command('snapshot', 'delete', snapshot.name)}, and take another one",
            )


def delete_snapshot(name: str, root: Path | None = None) -> None:
    """Delete a snapshot, a damaged one too. UsageError when there is none of that name."""
    path = locate_snapshot(name, root)
    if not path.is_dir():
        open_snapshot(name, root)
    discard(path)


def publish(unfinished: Path, snapshot: Snapshot) -> None:
    """Write the description of a snapshot into the directory that has its files, and give that directory its name."""
    (unfinished / "snapshot.json").write_text(json.dumps(snapshot.document(), indent=1))
    make_folder(snapshot.path.parent, mode=0o700)
    unfinished.chmod(0o700)
    try:
        unfinished.rename(snapshot.path)
    except OSError as error:  # another command was faster
        require_free(snapshot.name, snapshot.path.parent.parent)
        raise NotPossible(f"writing snapshot {snapshot.name} failed: {error.strerror}", where=str(snapshot.path)) from error


def copy_tree(here: Path, there: Path) -> None:
    """Copy a directory with its modes; one that is missing is copied as none."""
    if here.is_dir():
        shutil.copytree(here, there, symlinks=True, dirs_exist_ok=True)


def digest_file(file: Path) -> str:
    """Return the sha256 of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
