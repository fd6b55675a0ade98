"""Put the data, keys and records of a snapshot into a run directory while its etcds do not run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from deployers.day2.snapshots import snapshot as snapshots
from deployers.day2.snapshots.snapshot import RECORDS, Snapshot
from deployers.day2.snapshots.stores import Store, data_of
from deployers.etcd.tools import Etcdutl
from deployers.karmada import description_file
from deployers.plane import pending_operation
from deployers.plane.objects import map_concurrently
from lab.component import Component
from lab.run import Run, make_folder

CLUSTER_TOKEN = "etcd-cluster"  # noqa: S105 (a name)
"""etcd's own default of --initial-cluster-token."""


def prepare_data(snapshot: Snapshot, stores: list[Store], utl: Etcdutl, revisions: Mapping[str, int]) -> None:
    """Make the new data of every member beside the old. `revisions`: the revision that each etcd is at now, 0 for a new one.

    The new revision is beyond the old one and everything before is marked as compacted: a client that watched before lists again.
    """
    made = [(store.name, member) for store in stores for member in store.members]
    map_concurrently(lambda each: prepare_member(snapshot, each[0], each[1], utl, revisions.get(each[0], 0)), made)


def prepare_member(snapshot: Snapshot, store: str, member: Component, utl: Etcdutl, revision: int) -> None:
    """Make the new data of one member."""
    flags, new = member.flags, new_data(data_of(member))
    shutil.rmtree(new, ignore_errors=True)
    make_folder(new.parent, mode=0o700)
    bump = max(revision - snapshot.stores[store].revision, 0) + 1 if revision else 0
    utl(
        *("snapshot", "restore", str(snapshot.file(store)), f"--data-dir={new}", f"--name={flags['name']}"),
        *(f"--initial-cluster={flags['initial-cluster']}", f"--initial-advertise-peer-urls={flags['initial-advertise-peer-urls']}"),
        f"--initial-cluster-token={flags.get('initial-cluster-token', CLUSTER_TOKEN)}",
        *((f"--bump-revision={bump}", "--mark-compacted") if bump else ()),
    )


def new_data(data: Path) -> Path:
    """Return where new data is made."""
    return data.with_name(f"{data.name}.restored")


def exchange_data(stores: list[Store]) -> None:
    """Put the prepared data in the place of the old. Done again after an interrupt, it goes on."""
    for store in stores:
        for member in store.members:
            data = data_of(member)
            if (new := new_data(data)).is_dir():
                shutil.rmtree(data, ignore_errors=True)
                new.rename(data)


def put_keys(snapshot: Snapshot, run: Run) -> None:
    """Write the snapshot's keys over those of the run."""
    snapshots.copy_tree(snapshot.path / "pki", run.folder("pki"))


def put_records(snapshot: Snapshot, run: Run) -> None:
    """Replace the records of members, Karmada and addons by the snapshot's."""
    for kind in RECORDS:
        for name in run.records(kind):
            if (kind, name) != (pending_operation.KIND, pending_operation.NAME):
                run.forget(kind, name)
        snapshots.copy_tree(snapshot.path / "records" / kind, run.path / "records" / kind)
    for name in run.records("etcd"):  # all members of Karmada's etcd begin together again
        run.forget("etcd", name)
    if (snapshot.path / snapshots.DESCRIPTION).is_file():
        shutil.copy2(snapshot.path / snapshots.DESCRIPTION, description_file(run))


def has_same_keys(snapshot: Snapshot, run: Run) -> bool:
    """Return whether the run has every key and certificate of the snapshot, unchanged."""
    there = snapshot.path / "pki"
    files = [(file, run.path / "pki" / file.relative_to(there)) for file in there.rglob("*") if file.is_file()]
    return all(own.is_file() and own.read_bytes() == saved.read_bytes() for saved, own in files)
