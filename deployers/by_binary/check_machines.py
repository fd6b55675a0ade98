"""Machines of a control plane are asked whether it can run there, and reach itself from one to the other: before anything is brought."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from deployers.by_binary import balancer
from deployers.by_binary.installation import ESTIMATOR, BinaryInstallation
from deployers.names import NAME
from lab.component import Component
from lab.errors import NotPossible
from lab.host_checks import check_host
from lab.machines.lease import read_owners
from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.machines.placement import Placement
from lab.machines.route import Target, find_unreached
from lab.steps import Step

AMONG = ("etcd", "karmada-apiserver", ESTIMATOR)
"""Components that those of other machines call, besides the servers behind balancers."""
WATCHED = {"metrics", "health"}
"""Uses of ports that only this computer asks."""


def check_steps(plane: BinaryInstallation) -> list[Step]:
    """Return one step for each machine. NotPossible says why Karmada cannot run on it, or which others it does not reach."""
    return [Step(f"{NAME}/{place.name}-checked", partial(check_machine, plane, place)) for place in plane.layout.places]


def check_machine(plane: BinaryInstallation, place: Placement) -> None:
    """Return when Karmada's programs can run on a machine, this computer reaches them, and they reach those of other machines."""
    machines, run = plane.karmada.lab.spec.machines, plane.run
    if machines and machines.kind == "ssh" and place.name not in read_owners(run):  # else programs of the run have their ports
        ports = {port for part in plane.programs if part.machine == place.name for port in part.ports.values()}
        check_host(place.machine, str(place.root.parents[1]), ports)
    by_name = {each.name: each.address for each in plane.layout.places}
    require_route(Local(run.path), "this computer", list_targets(plane, [place.name]), {by_name[place.name]: place.name})
    others = {address: name for name, address in by_name.items() if name != place.name}
    require_route(place.machine, place.name, list_targets(plane, others.values(), among=True), others)


def list_targets(plane: BinaryInstallation, names: Iterable[str], *, among: bool = False) -> set[Target]:
    """Return the address and port of each program on these machines; `among`: only those that other machines call."""
    wanted, addresses = set(names), {place.name: place.address for place in plane.layout.places}
    return {
        (addresses[part.machine], port)
        for part in plane.programs
        if part.machine in wanted
        for use, port in part.ports.items()
        if not among or is_called(plane, part, use)
    }


def is_called(plane: BinaryInstallation, part: Component, use: str) -> bool:
    """Return whether components on other machines call this port of a program."""
    return use not in WATCHED and part.kind in {*AMONG, *balancer.list_behind(plane.spec)}


def require_route(machine: Machine, caller: str, targets: Iterable[Target], names: dict[str, str]) -> None:
    """Return when the targets are reached. NotPossible names the machines that are not, by their address, and why."""
    found = find_unreached(machine, targets)
    if not found:
        return
    (address, port), why = next(iter(sorted(found.items())))
    raise NotPossible(
        f"reaching {names[address]} from {caller} failed: {address}, port {port}: {why}",
        where=caller,
        detail="\n".join(f"{names[at]} ({at}:{number}): {reason}" for (at, number), reason in sorted(found.items())[1:]) or None,
        remedy=f"open a route between {caller} and {', '.join(sorted({names[at] for at, _ in found}))} (a firewall that drops packets?)"
        ", or take other machines",
    )
