"""Rules of machines: the hosts of a lab, and which of them a cluster is placed on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from lab.near_names import did_you_mean, near_names
from lab.preflight import Found, Place, Problem, Rules
from lab.spec import ClusterSpec, LabSpec, MachineHost, Machines

ADDRESS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[?[0-9a-fA-F:]+\]?")
LOCAL_NAMES = frozenset({"local", "localhost"})
"""Names that mean this computer."""


def placement_errors(machine: str, place: Place) -> Found:
    """Yield an error for a cluster on a machine that the lab does not have."""
    assert isinstance(place.root, LabSpec)
    if not machine:
        return
    names = place.root.machine_names
    if place.root.provider != "embedded":
        yield f"clusters of provider {place.root.provider} are not placed on machines one by one: leave it out"
    elif not names:
        yield Problem("", f"this lab has no machine {machine!r}", "add a table [machines]")
    elif machine not in names:
        yield f"this lab has no machine {machine!r}{did_you_mean(near_names(machine, names)) or '; it has: ' + ', '.join(names)}"


def machines_errors(machines: Machines | None, place: Place) -> Iterator[Problem]:
    """Yield machines that have the name of a cluster or of this computer."""
    assert isinstance(place.root, LabSpec)
    if machines is None:
        return
    clusters = {cluster.name: path for path, cluster in place.root.paths}
    for number, name in enumerate([host.name for host in machines.hosts] or machines.names):
        at = f".hosts[{number}].name" if machines.hosts else ".count"
        if name in clusters:
            yield Problem(at, f"{name!r} is the name of a cluster, too ({clusters[name]})", "give each its own")
        if name in LOCAL_NAMES:
            yield Problem(at, f"{name!r} means this computer", "leave `machine` out to place a cluster here")


def address_errors(address: str, place: Place) -> Found:
    if not ADDRESS.fullmatch(address):
        yield f"{address!r} is not a host name or IP address; a port goes into `port`"


def jump_errors(jump: str, place: Place) -> Found:
    """Yield a jump host that is not in the list, or that needs the host itself."""
    assert isinstance(place.root, LabSpec)
    assert isinstance(place.owner, MachineHost)
    if not jump or place.root.machines is None:
        return
    jumps = {host.name: host.jump for host in place.root.machines.hosts}
    if jump not in jumps:
        yield f"there is no host {jump!r}{did_you_mean(near_names(jump, list(jumps)))}"
        return
    seen = [place.owner.name]
    while jump and jump not in seen:
        seen.append(jump)
        jump = jumps.get(jump, "")
    if jump == place.owner.name:
        yield f"its jump hosts form a circle: {' → '.join([*seen, jump])}"


def user_errors(user: str, place: Place) -> Found:
    if not user or not user.isprintable() or any(letter.isspace() for letter in user):
        yield f"{user!r} is not a login name"


RULES: Rules = {
    (LabSpec, "machines"): machines_errors,
    (ClusterSpec, "machine"): placement_errors,
    (MachineHost, "address"): address_errors,
    (MachineHost, "jump"): jump_errors,
    (MachineHost, "user"): user_errors,
}
ANY_VALUE: Mapping[tuple[type[BaseModel], str], str] = {
    (Machines, "kind"): "each of its values is a kind of machine; what a kind needs of this computer is checked by `lab.machine_steps`",
    (Machines, "count"): "its type bounds it to 200",
    (Machines, "hosts"): "the rule of `machines` compares their names",
    (Machines, "inventory"): "it is read with the lab file, which says what is wrong in it",
    (Machines, "inventory_command"): "it is run with the lab file, which says how it failed",
    (Machines, "group"): "it is looked up in the inventory, which is read with the lab file",
    (MachineHost, "jump_only"): "either value means something",
    (MachineHost, "name"): "its type checks the form; the rule of `machines` compares the names",
    (MachineHost, "port"): "its type bounds it",
    (MachineHost, "key"): "a file of this computer, which connecting opens",
    (MachineHost, "known_hosts"): "a file of this computer, which connecting opens",
    (MachineHost, "sudo"): "either value means something",
    (MachineHost, "sudo_password_file"): "a file of this computer, which connecting opens",
    (MachineHost, "folder"): "a directory of the host, made when it is not there",
}
