"""Make a new lab of a snapshot, beside the lab that it was taken of: the same content and authorities, other ports."""

from __future__ import annotations

from pathlib import Path

from deployers.day2.snapshots import put_back
from deployers.day2.snapshots.snapshot import Snapshot, require_whole
from deployers.day2.snapshots.stores import list_stores
from deployers.etcd.tools import Etcdutl
from deployers.release import open_supply
from deployers.up.bring_up import Brought, bring_up
from deployers.wanted import merge_asked, prepare
from lab.assets import Supply
from lab.cluster import Lab
from lab.errors import UsageError
from lab.hints import command
from lab.run import run_path
from lab.steps import StepObserver


def fork_lab(
    snapshot: Snapshot,
    run_id: str,
    *,
    root: Path | None = None,
    supply: Supply | None = None,
    watcher: StepObserver | None = None,
    label: str = "lab fork",
) -> Brought:
    """Bring up a new lab with the content of a snapshot; return when every member is Ready.

    UsageError: a lab of that name exists. NotPossible: the snapshot is damaged. On failure as `bring_up`.
    """
    require_new(run_id, root)
    require_whole(snapshot)
    wanted = prepare(merge_asked(snapshot.asked), source=f"snapshot {snapshot.name}")

    def seed(lab: Lab) -> None:
        own = supply or open_supply(lab.run)
        put_back.put_keys(snapshot, lab.run)
        put_back.put_records(snapshot, lab.run)
        stores = list_stores(lab, own, own.resolve(wanted.software()))
        put_back.prepare_data(snapshot, stores, Etcdutl.found(lab.machine, own), {})
        put_back.exchange_data(stores)

    return bring_up(wanted, run_id, root=root, supply=supply, watcher=watcher, label=label, seed=seed)


def require_new(run_id: str, root: Path | None = None) -> None:
    """Return if no lab of that name exists. UsageError when there is one, or it is not a name."""
    path = run_path(run_id, root)
    if (path / "run.json").exists():
        raise UsageError(f"lab {run_id} exists already", where=str(path), remedy=f"choose another name, or {command('down', lab=run_id)}")
