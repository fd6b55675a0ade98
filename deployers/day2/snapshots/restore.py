"""Take a lab back to a snapshot of it, in place.

Its API servers go on running where keys and spec are those of the snapshot: the revision of each etcd moves on and all before it is marked
as compacted, so their caches are read again (etcd docs, op-guide/recovery, "Restoring with revision bump"). All other programs are started
again, as Kubernetes' documentation of a restore advises: controllers keep what they learnt from objects that are no more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from deployers.by_binary.deployer import stop_programs
from deployers.day2.snapshots import put_back
from deployers.day2.snapshots.revisions import read_revisions
from deployers.day2.snapshots.snapshot import Snapshot, require_whole
from deployers.day2.snapshots.stores import list_stores
from deployers.etcd.tools import Etcdutl
from deployers.plane import pending_operation
from deployers.release import open_supply
from deployers.up.bring_up import Brought, bring_up
from deployers.wanted import merge_asked, prepare
from lab.cluster import Lab
from lab.errors import UsageError
from lab.hints import command
from lab.programs import read_programs
from lab.run import Run
from lab.steps import StepObserver

WHAT = "a restore of a snapshot"
API_SERVERS = ("kube-apiserver", "karmada-apiserver")
GRACE = 0.5
"""Seconds that programs get to end by themselves: what they know is given up."""


@dataclass(frozen=True)
class SnapshotRestored:
    """The result: the lab that serves, and for how many seconds it did not."""

    brought: Brought
    seconds: float


def restore_snapshot(run: Run, snapshot: Snapshot, *, watcher: StepObserver | None = None) -> SnapshotRestored:
    """Take a lab back to a snapshot and return when every member is Ready again; what happened since is lost.

    UsageError or NotPossible, with nothing touched: the snapshot is of other clusters, or damaged. After an interrupt the same command
    goes on.
    """
    require_whole(snapshot)
    require_same_clusters(run, snapshot)
    began = time.monotonic()
    again = command("snapshot", "restore", snapshot.name, lab=run.id)
    with pending_operation.hold_pending(run, WHAT, again=again, snapshot=snapshot.name):
        same = run.asked == snapshot.asked and put_back.has_same_keys(snapshot, run)
        run = run.ask(snapshot.asked)
        wanted, lab, supply = prepare(merge_asked(run.asked), source=f"snapshot {snapshot.name}"), Lab.open(run), open_supply(run)
        put_back.put_records(snapshot, run)
        stores = list_stores(lab, supply, supply.resolve(wanted.software()))
        running = read_programs(run).running
        kept = {name for name in running if same and name.rpartition("/")[2].startswith(API_SERVERS)}
        stop_programs(run, running - kept, within=GRACE)
        utl = Etcdutl.found(lab.machine, supply)
        put_back.prepare_data(snapshot, stores, utl, read_revisions(stores, utl))
        put_back.exchange_data(stores)
        put_back.put_keys(snapshot, run)
    brought = bring_up(wanted, run.id, root=run.path.parent, watcher=watcher, label="lab snapshot restore")
    run.journal("snapshot restored", name=snapshot.name, seconds=round(time.monotonic() - began, 3))
    return SnapshotRestored(brought, time.monotonic() - began)


def require_same_clusters(run: Run, snapshot: Snapshot) -> None:
    """Return if a snapshot is of the clusters that the run has. UsageError says how to get a lab of the snapshot."""
    if run.asked["lab"] != snapshot.asked["lab"]:
        raise UsageError(
            f"snapshot {snapshot.name} is of a lab with other clusters than {run.id}",
            where=f"{snapshot.path / 'snapshot.json'} and {run.path / 'run.json'}",
            remedy=f"{command('fork', 'NEW', '--from', snapshot.name)}   (a new lab of the snapshot)",
        )
