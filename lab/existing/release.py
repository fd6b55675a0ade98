"""Leave clusters that exist as they were: delete what the lab put there, then its claim, then its record. From the run directory alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from lab.api import Api, Refused
from lab.errors import LabError, LeakError
from lab.existing.claim import drop_claim, read_claim
from lab.existing.footprint import FoundObject, find_objects
from lab.existing.record import KIND, ExistingRecord, list_existing
from lab.hints import command
from lab.run import Run
from lab.wait import NotYet, until

WITHIN = 180.0
"""Seconds until everything is gone: a namespace waits for its pods, and pods have a grace period."""


def release_all(run: Run, *, within: float = WITHIN, by: str = "down") -> list[str]:
    """Release every cluster of a run, all at once, and return what was deleted, a line each. LeakError names what could not be."""
    records = list_existing(run)
    if not records:
        return []
    failures: list[LabError] = []

    def released(record: ExistingRecord) -> list[str]:
        try:
            return release(run, record, within=within, by=by)
        except LabError as error:
            failures.append(error)
            return []

    with ThreadPoolExecutor(len(records), thread_name_prefix="release") as pool:
        removed = [line for lines in pool.map(released, records) for line in lines]
    if failures:
        raise LeakError(
            f"removing lab {run.id} failed: its objects are left on existing clusters",
            where=", ".join(record.name for record in list_existing(run)),
            detail="\n".join(f"{error.what} {error.detail or ''}".strip() for error in failures),
            remedy=f"when they answer again: {command('down', lab=run.id)}; for one that is gone for good, delete its record: "
            f"{run.path / 'records' / KIND}/NAME.json",
        )
    return removed


def release(run: Run, record: ExistingRecord, *, within: float = WITHIN, by: str = "down") -> list[str]:
    """Delete what a run put on one cluster, its claim and its record; return what was deleted. Twice is fine.

    Only what matches the record's footprint and is not older than the claim is deleted: what was there before stays.
    """
    kubeconfig = run.kubeconfig(record.name)
    api = Api.open(kubeconfig)
    uid = str(api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
    if uid != record.uid:
        raise LeakError(f"{record.name} is another cluster now (UID {uid}, before {record.uid}), so nothing on it is deleted")
    claim = read_claim(api)
    since = record.since or (claim.since if claim and claim.is_of(run.path) else 0.0)
    deleted: dict[str, None] = {}
    if since:

        def emptied() -> None:
            left = list_own(api, record, since)
            for each in choose_deletable(left):
                deleted[f"{record.name}: {each}"] = None
                delete(api, each)
            if left:
                raise NotYet(f"{len(left)} left: {', '.join(str(each) for each in left[:5])}")

        until(emptied, what=f"what the lab put on {record.name} is gone", within=within, every=0.5)
        drop_claim(api, run.path)
    run.journal("released", cluster=record.name, by=by, deleted=list(deleted))
    run.forget(KIND, record.name)
    return list(deleted)


def list_own(api: Api, record: ExistingRecord, since: float) -> list[FoundObject]:
    """Return what of a record's footprint the lab put on the cluster: nothing is older than the claim, but for nodes, which get labels."""
    return [each for each in find_objects(api, record.footprint) if each.label or each.created >= since]


def choose_deletable(found: Sequence[FoundObject]) -> list[FoundObject]:
    """Return the objects to delete now: not those that leave already, and not those that leave with their namespace."""
    namespaces = {each.path for each in found if each.path.startswith("/api/v1/namespaces/") and each.path.count("/") == 4}
    return [each for each in found if not each.leaving and each.namespace not in namespaces]


def delete(api: Api, found: FoundObject) -> None:
    """Delete an object, or take a label off a node. One that has just gone is fine."""
    try:
        if found.label:
            api.patch(found.path, {"metadata": {"labels": {found.label: None}}})
        else:
            api.delete(found.path, propagationPolicy="Background")
    except Refused as refused:
        if refused.status not in {404, 409}:
            raise
