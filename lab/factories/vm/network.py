"""The network of a run's virtual machines: a bridge of libvirt's with a subnet of its own, and a way out by NAT."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network
from xml.etree import ElementTree as ET

from filelock import FileLock

from lab.external_names import external_name
from lab.factories.subnet import choose_subnet, list_routes, subnet_lock
from lab.factories.vm.connection import LibvirtFailed, connect, find, translate_errors
from lab.factories.vm.render import render_xml
from lab.machines.local import Local
from lab.run import Run

RECORD = "machine-networks"
NAME = "vm"
RANGE = (180, 199)
"""Addresses 10.180.x.y to 10.199.x.y: machines of namespaces have those above, pods (`lab.images.node.cluster_subnet`) 10.224.0.0/11."""


@dataclass(frozen=True)
class VmNetwork:
    """The network of a run: its name with libvirt, its bridge and its subnet."""

    name: str
    bridge: str
    subnet: str

    @property
    def addresses(self) -> IPv4Network:
        return IPv4Network(self.subnet)

    @property
    def gateway(self) -> str:
        return str(self.addresses[1])


def ensure_network(run: Run) -> VmNetwork:
    """Return the network of a run, made and started if it is not. NotPossible when no subnet is free."""
    with FileLock(subnet_lock()):
        network = read_network(run)
        connection = connect()
        if network is None:
            digest = hashlib.sha256(run.id.encode()).hexdigest()
            subnet = choose_subnet(run.id, [*list_routes(Local(run.path)), *list_subnets(connection)], among=RANGE)
            network = VmNetwork(external_name(run.id, "vms"), f"klv-{digest[:10]}", subnet)
            run.record(RECORD, NAME, asdict(network))
        with translate_errors(f"making the network of lab {run.id}"):
            known = find(connection.networkLookupByName, network.name)
            if known is None:
                values = {"gateway": network.gateway, "prefix": network.addresses.prefixlen}
                known = connection.networkDefineXML(render_xml("network", name=network.name, bridge=network.bridge, **values))
            if not known.isActive():
                known.create()
    return network


def read_network(run: Run) -> VmNetwork | None:
    """Return the recorded network of a run; None when it has none."""
    row = run.recorded(RECORD, NAME)
    return VmNetwork(**row) if row else None


def delete_network(run: Run) -> None:
    """Delete the network of a run, and its record; twice is fine."""
    network = read_network(run)
    if network is None:
        return
    known = find(connect().networkLookupByName, network.name)
    if known is not None:
        with translate_errors(f"deleting the network of lab {run.id}"):
            with suppress(LibvirtFailed), translate_errors("stopping it"):  # one that is not active
                known.destroy()
            known.undefine()
    run.forget(RECORD, NAME)


def list_subnets(connection: object) -> Iterator[IPv4Network]:
    """Yield the subnets of libvirt's networks, of those that are not active, too."""
    with translate_errors("listing libvirt's networks"):
        documents = [network.XMLDesc(0) for network in connection.listAllNetworks()]  # type: ignore[attr-defined]
    for document in documents:
        for address in ET.fromstring(document).iter("ip"):  # noqa: S314 (libvirt's own)
            host, prefix, mask = address.get("address"), address.get("prefix"), address.get("netmask")
            if host and (prefix or mask) and ":" not in host:
                yield IPv4Network(f"{host}/{prefix or mask}", strict=False)
