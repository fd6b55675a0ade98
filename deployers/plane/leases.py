"""Leases of leader election: their holder, and whether it is alive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from deployers.names import LEASES
from lab.api import Api, Json
from lab.component import Component
from lab.programs import read_programs
from lab.run import Run
from lab.wait import NotYet

FOLDER = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}"


def path_of(namespace: str, name: str) -> str:
    """Return the path of a Lease."""
    return FOLDER.format(namespace=namespace, name=name)


def held_lease(api: Api, namespace: str, name: str) -> Json:
    """Return a Lease that has a live holder; NotYet says what is wrong with it.

    Now: it was renewed within its own duration. A health endpoint says ok before the lease is had, and a lease stays behind
    when its holder is killed.
    """
    lease = api.find(path_of(namespace, name))
    if lease is None:
        raise NotYet(f"no lease {name} yet")
    spec = lease.get("spec", {})
    if not spec.get("holderIdentity"):
        raise NotYet(f"the lease {name} has no holder")
    renewed = dt.datetime.fromisoformat(spec["renewTime"])
    age = (dt.datetime.now(dt.UTC) - renewed).total_seconds()
    if age > spec.get("leaseDurationSeconds", 15):
        raise NotYet(f"the lease {name} is held by {spec['holderIdentity']}, which renewed it {age:.0f} s ago")
    return lease


def drop_stale(api: Api, run: Run, programs: Sequence[Component]) -> None:
    """Delete the leases of components of which no program runs.

    None of Karmada's gives its lease back when it is ended, and a new one waits 15 s for the old one to come back. Here it is
    known that it will not: that wait would be most of the time that a kept lab takes to come up again. While a machine does not answer it
    is not known, and leases stay.
    """
    found = read_programs(run)
    if found.unreached:
        return
    running = found.running
    held_by_programs = {part.kind for part in programs} & LEASES.keys()
    for kind in held_by_programs - {part.kind for part in programs if part.name in running}:
        api.delete(path_of(LEASES[kind], kind))
