"""The network of a run's machines: a bridge in a network namespace of its own, with one cable to this computer.

In a namespace of its own the bridge is not subject to this computer's packet filter (Docker's lets nothing through), and deleting that
one namespace removes the bridge and every cable.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network

from filelock import FileLock

from lab.errors import CommandFailed, NotPossible
from lab.external_names import external_name, interface_name
from lab.factories.subnet import choose_subnet, list_routes, overlaps, subnet_lock
from lab.hints import command
from lab.machines.local import Local
from lab.run import Run

RECORD = "machine-networks"
"""The kind of the record of a run's network."""
NAME = "namespaces"
RANGE = (200, 219)
"""Addresses 10.200.x.y to 10.219.x.y: outside of what Docker, Kubernetes and kind use."""


@dataclass(frozen=True)
class MachineNetwork:
    """The network of a run: its subnet, the namespace of its bridge, and its interface on this computer, which has the first address."""

    subnet: str
    switch: str
    link: str

    @property
    def gateway(self) -> str:
        return str(IPv4Network(self.subnet)[1])

    @property
    def prefix(self) -> int:
        return IPv4Network(self.subnet).prefixlen

    def address(self, number: int) -> str:
        """Return the address of the machine of this number, from 0 on."""
        return str(IPv4Network(self.subnet)[10 + number])


def ensure_network(run: Run) -> MachineNetwork:
    """Make the network of a run, or complete what a crash left of it, and return it. NotPossible when no subnet is free."""
    local = Local(run.path)
    with FileLock(subnet_lock()):
        network = read_network(run)
        taken = list(list_routes(local, except_link=network.link if network else ""))
        if network is None:
            network = MachineNetwork(choose_subnet(run.id, taken, among=RANGE), external_name(run.id, "switch"), interface_name(run.id))
            run.record(RECORD, NAME, {"subnet": network.subnet, "switch": network.switch, "link": network.link})
        elif overlaps(IPv4Network(network.subnet), taken):
            raise NotPossible(
                f"making the network of lab {run.id} failed: its subnet {network.subnet} is used by another interface now",
                remedy=f"{command('down', lab=run.id)}, then {command('up', lab=run.id)}",
            )
        if not is_up(local, network):
            delete_switch(local, network)
            make_switch(local, network)
    return network


def read_network(run: Run) -> MachineNetwork | None:
    """Return the recorded network of a run; None when it has none."""
    row = run.recorded(RECORD, NAME)
    return MachineNetwork(row["subnet"], row["switch"], row["link"]) if row else None


def delete_network(run: Run) -> None:
    """Delete the network of a run; with it go all cables. Deleting it twice is fine."""
    network = read_network(run)
    if network is not None:
        delete_switch(Local(run.path), network)
        run.forget(RECORD, NAME)


def make_switch(local: Local, network: MachineNetwork) -> None:
    """Make the namespace, its bridge, and the cable to this computer, which gets its address last."""
    local.run(["ip", "netns", "add", network.switch])
    inside = ["link set lo up", "link add br0 type bridge", "link set br0 up"]
    local.run(["ip", "-n", network.switch, "-batch", "-"], input="\n".join(inside))
    local.run(["ip", "link", "add", network.link, "type", "veth", "peer", "name", "uplink", "netns", network.switch])
    local.run(["ip", "-n", network.switch, "link", "set", "uplink", "master", "br0", "up"])
    local.run(["ip", "link", "set", network.link, "up"])
    local.run(["ip", "address", "add", f"{network.gateway}/{network.prefix}", "dev", network.link])


def delete_switch(local: Local, network: MachineNetwork) -> None:
    """Delete the namespace of the bridge and the cable; what is not there is fine."""
    with suppress(CommandFailed):
        local.run(["ip", "link", "delete", network.link])
    with suppress(CommandFailed):
        local.run(["ip", "netns", "delete", network.switch])


def is_up(local: Local, network: MachineNetwork) -> bool:
    """Return whether the network is complete."""
    try:
        local.run(["ip", "-n", network.switch, "link", "show", "uplink"])
        shown = local.run(["ip", "-4", "-o", "address", "show", "dev", network.link]).stdout
    except CommandFailed:
        return False
    return f" {network.gateway}/" in shown
