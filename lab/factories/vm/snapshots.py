"""Snapshots of a virtual machine, memory included: to take one, to go back to it, to list them."""

from __future__ import annotations

import time
from typing import Any

from lab.errors import NotPossible, UsageError
from lab.external_names import external_name
from lab.factories.vm.agent import check_agent, run_by_agent
from lab.factories.vm.connection import connect, find, translate_errors
from lab.factories.vm.factory import KIND
from lab.factories.vm.render import render_xml
from lab.machines.record import read_machines
from lab.machines.registry import ssh_host
from lab.machines.ssh.connection import disconnect
from lab.run import Run
from lab.wait import until

UP_WITHIN = 120.0


def take_snapshot(run: Run, machine: str, snapshot: str) -> None:
    """Take a snapshot of a machine that runs. UsageError when it has one of that name; NotPossible when it does not run."""
    domain = find_domain(run, machine)
    if snapshot in list_snapshots(run, machine):
        raise UsageError(f"taking snapshot {snapshot} failed: machine {machine} has one of that name", remedy="choose another name")
    with translate_errors(f"taking snapshot {snapshot} of machine {machine}"):
        if not domain.isActive():
            raise NotPossible(f"taking snapshot {snapshot} failed: machine {machine} does not run")
        domain.snapshotCreateXML(render_xml("snapshot", name=snapshot), 0)


def revert_snapshot(run: Run, machine: str, snapshot: str) -> None:
    """Bring a machine back to a snapshot, and its clock to the present. Connections to it end. UsageError when it has no such snapshot."""
    domain = find_with_snapshot(run, machine, snapshot)
    disconnect(ssh_host(read_machines(run), machine, run))
    with translate_errors(f"reverting machine {machine} to snapshot {snapshot}"):
        domain.revertToSnapshot(domain.snapshotLookupByName(snapshot), 0)
    until(lambda: check_agent(domain), what=f"machine {machine} answers after it was reverted", within=UP_WITHIN)
    run_by_agent(domain, ["/bin/date", "--set", f"@{time.time():.3f}"])


def delete_snapshot(run: Run, machine: str, snapshot: str) -> None:
    """Delete a snapshot; the machine stays as it is. UsageError when it has no such snapshot."""
    domain = find_with_snapshot(run, machine, snapshot)
    with translate_errors(f"deleting snapshot {snapshot} of machine {machine}"):
        domain.snapshotLookupByName(snapshot).delete(0)


def list_snapshots(run: Run, machine: str) -> list[str]:
    """Return the names of a machine's snapshots, the first taken first."""
    domain = find_domain(run, machine)
    with translate_errors(f"listing the snapshots of machine {machine}"):
        found = [(snapshot.getXMLDesc(0).partition("<creationTime>")[2], snapshot.getName()) for snapshot in domain.listAllSnapshots(0)]
    return [name for _, name in sorted(found)]


def find_with_snapshot(run: Run, machine: str, snapshot: str) -> Any:
    """Return the domain of a machine that has this snapshot. UsageError when it has not; errors as `find_domain`."""
    domain = find_domain(run, machine)
    taken = list_snapshots(run, machine)
    if snapshot not in taken:
        raise UsageError(f"machine {machine} has no snapshot {snapshot!r}", where=f"snapshots: {', '.join(taken) or 'none'}")
    return domain


def find_domain(run: Run, machine: str) -> Any:
    """Return the domain of a machine. UsageError when the lab has no such machine or it is not virtual; NotPossible when it is gone."""
    machines = read_machines(run)
    if machine not in machines:
        raise UsageError(f"lab {run.id} has no machine {machine!r}", where=f"{run.path} (machines: {', '.join(machines) or 'none'})")
    if machines[machine].kind != KIND:
        raise UsageError(f"machine {machine} has no snapshots: it is of kind {machines[machine].kind}", remedy=f"one of kind {KIND} has")
    domain = find(connect().lookupByName, external_name(run.id, machine))
    if domain is None:
        raise NotPossible(f"machine {machine} does not exist any more", where=str(run.path))
    return domain
