"""Take a snapshot of a lab, running or stopped. A running lab serves on, but for the tenths of a second in which its data is copied."""

from __future__ import annotations

import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

from deployers.day2.snapshots import snapshot as snapshots
from deployers.day2.snapshots.cut import copy_at_once
from deployers.day2.snapshots.extract import Extractor
from deployers.day2.snapshots.snapshot import RECORDS, Snapshot, StoreState
from deployers.day2.snapshots.stores import Store, data_of, list_stores
from deployers.etcd.client import EtcdClient
from deployers.etcd.tools import TOOLS
from deployers.karmada import Karmada, description_file
from deployers.names import NAME
from deployers.plane import pending_operation
from deployers.release import open_supply
from deployers.wanted import merge_asked, prepare
from lab.assets import AssetRef, Supply
from lab.cluster import Lab
from lab.component import Component
from lab.errors import NotPossible
from lab.programs import read_programs
from lab.run import Run
from lab.steps import Step, StepObserver, execute
from lab.supervisor.client import Supervisor

WITHIN = 5.0
"""Seconds for which another command that changes the lab is waited for."""
ATTEMPTS = 3


def save_snapshot(run: Run, name: str, *, watcher: StepObserver | None = None) -> Snapshot:
    """Take a snapshot under a new name and return it.

    Every write that the lab acknowledged before the call is in it. UsageError: the name is taken. NotPossible: a part of the lab is no
    program of this computer, or another command changes the lab. When this is killed, no snapshot of that name exists.
    """
    path = snapshots.require_free(name, run.path.parent)
    lab, supply = Lab.open(run), open_supply(run)
    lock = run.lock(within=WITHIN)
    try:
        pending_operation.require_none(run)
        wanted = prepare(merge_asked(run.asked), source=str(run.path / "run.json"))
        stores = list_stores(lab, supply, supply.resolve(wanted.software()))
        extractor = bring_extractor(supply)
        unfinished = Path(tempfile.mkdtemp(prefix="snapshot-", dir=run.folder("scratch")))
        try:
            frozen = copy_stores(lab, stores, unfinished)
            copy_records(run, unfinished)
            states = extract_all(run, stores, unfinished, extractor, watcher)
            made = Snapshot(name, path, run.id, time.time(), frozen, run.asked, states)
            shutil.rmtree(unfinished / "work")
            snapshots.publish(unfinished, made)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        run.journal("snapshot", name=name, frozen=round(frozen, 3))
    finally:
        lock.release()
    return made


def bring_extractor(supply: Supply) -> Extractor:
    """Return etcd's tools, brought now if they are not here."""
    found = {ref.name: path for ref, path in supply.resolve([AssetRef.parse(name) for name in TOOLS]).items()}
    return Extractor(found["etcdctl"], found["etcdutl"])


def copy_stores(lab: Lab, stores: list[Store], unfinished: Path) -> float:
    """Copy the data of every etcd at one moment; return for how many seconds they were paused.

    Of an etcd of three the leader is copied: it has every acknowledged write. When another one leads afterwards, all is copied again.
    """
    running = read_programs(lab.run).running
    names = [member.name for store in stores for member in store.members if member.name in running]
    for _ in range(ATTEMPTS):
        chosen = {store.name: choose_member(lab, store, running) for store in stores}
        folders = {data_of(member): unfinished / "work" / name / "data" for name, member in chosen.items()}
        frozen = copy_at_once(Supervisor(lab.run.path), names, folders)
        if all(choose_member(lab, store, running) == chosen[store.name] for store in stores if len(store.members) > 1):
            return frozen
        shutil.rmtree(unfinished / "work")
    raise NotPossible("the snapshot failed: Karmada's etcd changed its leader each time", where=str(lab.run.path), remedy="try again")


def choose_member(lab: Lab, store: Store, running: set[str]) -> Component:
    """Return the member of an etcd that has every acknowledged write: the leader. NotPossible when there is none among several."""
    if len(store.members) == 1:
        return store.members[0]
    if not running & {member.name for member in store.members}:
        raise NotPossible(
            "the snapshot failed: Karmada's etcd of several members does not run, so none is known to lead",
            where=str(lab.run.path),
            remedy="bring the lab up first",
        )
    leader = EtcdClient.of(Karmada.open(lab)).health().leader
    found = [member for member in store.members if member.name == f"{NAME}/{leader}"]
    if not found:
        raise NotPossible("the snapshot failed: Karmada's etcd has no leader", where=str(lab.run.path), remedy="try again")
    return found[0]


def copy_records(run: Run, unfinished: Path) -> None:
    """Copy keys and records, which commands that change the lab write; they wait for us."""
    snapshots.copy_tree(run.path / "pki", unfinished / "pki")
    for kind in RECORDS:
        snapshots.copy_tree(run.path / "records" / kind, unfinished / "records" / kind)
    description = description_file(run)
    if description.is_file():
        shutil.copy2(description, unfinished / snapshots.DESCRIPTION)


def extract_all(
    run: Run, stores: list[Store], unfinished: Path, extractor: Extractor, watcher: StepObserver | None
) -> dict[str, StoreState]:
    """Make one file of each copied etcd, all at once; return their states by cluster."""
    states: dict[str, StoreState] = {}

    def extract(store: Store) -> None:
        folder, file = unfinished / "work" / store.name, unfinished / "etcd" / f"{store.name}.db"
        states[store.name] = extractor.extract(store.members[0].binary, folder, file)

    (unfinished / "etcd").mkdir(mode=0o700)
    execute([Step(f"{store.name}/extracted", partial(extract, store)) for store in stores], run, watcher=watcher)
    return {store.name: states[store.name] for store in stores}
