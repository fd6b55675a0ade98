"""The steps that make a cluster of machines. Machines are checked, all of them, before anything is brought to the first."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from lab import hollow
from lab.api import Refused
from lab.cluster import Cluster
from lab.images.node import cluster_subnet
from lab.kubeadm import facts, node, paths
from lab.kubeadm.config import ClusterConfig, NodeAddress
from lab.kubeadm.files import NodeFiles
from lab.kubeconfig import parse_kubeconfig
from lab.machines.machine import Machine
from lab.run import Run, write_private
from lab.steps import Step
from lab.wait import NotYet, until
from lab.write_kubeconfig import write_context

RECORD = "kubeadm"
"""The kind of records of clusters: their machines, and the secrets by which nodes join."""
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
"""The taint of a control plane beside workers."""


def ignore(_machine: str) -> None:
    """Take every machine for one that is reached."""


@dataclass(frozen=True)
class MachineCluster:
    """One cluster being made of machines. `open` returns a machine by name and `address` its address, once it is there."""

    run: Run
    cluster: Cluster
    version: str
    number: int
    control_planes: Sequence[str]
    workers: Sequence[str]
    open: Callable[[str], Machine]
    address: Callable[[str], str]
    files: Callable[[], NodeFiles]
    check_route: Callable[[str], None] = ignore
    """Raises when this computer cannot reach the API server of a machine."""
    flags: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The labels of nodes by machine."""
    discovery: list[str] = field(default_factory=list)
    """The kubeconfig by which nodes find the cluster, once it is open for them."""

    @property
    def machines(self) -> tuple[str, ...]:
        return (*self.control_planes, *self.workers)

    def record(self) -> dict[str, Any]:
        """Return the record of the cluster, written now if there is none: before anything is brought to a machine."""
        known = self.run.recorded(RECORD, self.cluster.name)
        if known is not None:
            return known
        token = f"{secrets.token_hex(3)}.{secrets.token_hex(8)}"
        secret = {"token": token, "certificate_key": secrets.token_hex(32)}
        path = self.run.folder("pki", self.cluster.name) / "kubeadm.json"
        write_private(path, json.dumps(secret).encode())
        return self.run.record(RECORD, self.cluster.name, {"machines": list(self.machines), "secrets": str(path)})

    def node_address(self, machine: str) -> NodeAddress:
        return NodeAddress(machine, self.address(machine), self.labels.get(machine, {}))

    def config(self) -> ClusterConfig:
        """Return the configuration. The machines must be there, since their addresses are in it."""
        secret = json.loads(Path(self.record()["secrets"]).read_bytes())
        return ClusterConfig(
            name=self.cluster.name,
            version=self.version,
            control_planes=tuple(map(self.node_address, self.control_planes)),
            workers=tuple(map(self.node_address, self.workers)),
            pods=cluster_subnet(self.number),
            flags=self.flags,
            **secret,
        )

    def steps(self, *, files: str) -> list[Step]:
        """Return the steps; the one with the cluster's name ends when every node is Ready.

        The machines are there before the first of them. `files` names the step after which `self.files` returns.
        """
        name, first = self.cluster.name, self.control_planes[0]
        steps = [Step(f"{name}/{machine}/checked", partial(self.check, machine)) for machine in self.machines]
        checked = tuple(step.name for step in steps)
        steps += [Step(f"{name}/{machine}/prepared", partial(self.prepare, machine), (files, *checked)) for machine in self.machines]
        steps.append(Step(f"{name}/node", self.init, (f"{name}/{first}/prepared",), priority=-1))
        steps.append(Step(f"{name}/open", self.open_for_nodes, (f"{name}/node",)))
        after = f"{name}/open"
        for machine in self.machines[1:]:
            steps.append(Step(f"{name}/{machine}/joined", partial(self.join, machine), (f"{name}/{machine}/prepared", after)))
            if machine in self.control_planes:  # one after the other: etcd takes one new member at a time
                after = f"{name}/{machine}/joined"
        joined = tuple(f"{name}/{machine}/joined" for machine in self.machines[1:])
        steps.append(Step(f"{name}/network", self.connect, (f"{name}/node", *joined)))
        return [*steps, Step(name, self.wait_ready, (f"{name}/network",))]

    def check(self, machine: str) -> None:
        """Return when a machine can be a node of this cluster. NotPossible with the first reason."""
        if machine == self.control_planes[0]:
            self.check_route(machine)
        found = facts.ask_facts(self.open(machine))
        facts.require_node(machine, facts.list_refusals(found, run=self.run.id, cluster=self.cluster.name))

    def prepare(self, machine: str) -> None:
        config = self.config()
        at = next(each for each in config.nodes if each.name == machine)
        node.prepare_node(self.open(machine), at, config, self.files(), run=self.run.id)

    def init(self) -> None:
        """Make the first control plane and write the run's kubeconfig of the cluster."""
        machine, config = self.open(self.control_planes[0]), self.config()
        node.init_cluster(machine, config)
        admin = parse_kubeconfig(node.read_admin(machine))
        server = f"https://{config.control_planes[0].address}:{paths.API_PORT}"
        write_context(self.cluster.kubeconfig, admin, name=self.cluster.context, server=server)

    def open_for_nodes(self) -> None:
        if len(self.machines) > 1:
            self.discovery[:] = [node.open_cluster(self.open(self.control_planes[0]), self.config())]

    def join(self, machine: str) -> None:
        config = self.config()
        at = next(each for each in config.nodes if each.name == machine)
        node.join_cluster(self.open(machine), at, config, self.discovery[0])

    def connect(self) -> None:
        """Give the pods of each node their network, and each node the way to the pods of the others."""
        given = {name: node.wait_pod_addresses(self.get_node, name) for name in self.machines}
        for name in self.machines:
            others = {pods: self.address(other) for other, pods in given.items() if other != name}
            node.give_network(self.open(name), given[name], others)

    def get_node(self, name: str) -> Any:
        """Return the Node object of a machine; an empty one while there is none."""
        try:
            return self.cluster.api.get(f"/api/v1/nodes/{name}")
        except Refused as refused:
            if refused.status != 404:
                raise
            return {"spec": {}}

    def wait_ready(self) -> None:
        """Return when every node takes pods."""
        for name in self.machines:

            def check_ready(name: str = name) -> None:
                if why := hollow.unready_reason(self.get_node(name)):
                    if name in self.control_planes and self.workers and why == f"tainted {CONTROL_PLANE}":
                        return
                    raise NotYet(f"{name}: {why}")

            until(check_ready, what=f"the node {name} is Ready", within=180.0, remedy=f"on {name}: journalctl -u kubelet")
