"""End the programs of a run on its machines, from the records alone, and delete the run's files there."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from lab.errors import LabError
from lab.factories.delete import FACTORIES
from lab.machines.lease import OWNERS, read_owners
from lab.machines.record import read_machines
from lab.machines.registry import open_remote_owner
from lab.run import Run

GRACE = 2.0
"""Seconds that programs get to end by themselves when their files are kept."""


def list_released(run: Run, *, keep: bool) -> list[str]:
    """Return the machines on which programs have to be ended: not those that are deleted as a whole."""
    kinds = {name: record.kind for name, record in read_machines(run).items()}
    return [name for name in read_owners(run) if name in kinds and (keep or kinds[name] not in FACTORIES)]


def release_machines(run: Run, *, keep: bool = False) -> dict[str, str]:
    """End the run's programs on every machine, all machines at once; without `keep` delete its files there, too. Twice is fine.

    Return why for each machine that could not be reached: its programs end by themselves when the lease is over.
    """
    names = list_released(run, keep=keep)
    if not names:
        return {}
    with ThreadPoolExecutor(len(names)) as pool:
        failures = dict(zip(names, pool.map(partial(release_machine, run, keep=keep), names), strict=True))
    return {name: why for name, why in failures.items() if why}


def release_machine(run: Run, name: str, *, keep: bool) -> str:
    """End the run's programs on one machine; return why that failed, "" when it did not."""
    try:
        owner = open_remote_owner(run, name)
        if keep:
            owner.shutdown(within=GRACE)
        else:
            owner.remove(within=0.0)
    except LabError as error:
        return error.what
    run.forget(OWNERS, name)
    return ""


def describe_unreached(failures: dict[str, str]) -> Iterable[str]:
    """Yield a line for each machine that could not be reached."""
    for name, why in failures.items():
        yield f"{name} was not reached, its programs end by themselves within a minute: {why}"
