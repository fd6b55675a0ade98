"""One cluster of the provider kind being made: its nodes, their network, its kubeconfig, what else is on its nodes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from lab import audit, component, docker, hollow
from lab.assets.cache import Cache
from lab.cluster import Cluster, Lab
from lab.computer import Computer
from lab.docker_engine import find_engine
from lab.errors import CommandFailed, ProvisionError
from lab.external_names import external_name
from lab.hints import command
from lab.images import applications, load_archive, make_archive, node
from lab.images.load import RECORD
from lab.kubeconfig import parse_kubeconfig
from lab.machines.machine import Machine
from lab.machines.placement import LOOPBACK
from lab.ports import ports_of
from lab.providers import kind_config
from lab.providers.kind_config import NODE
from lab.run import Run, write_private
from lab.spec import ClusterSpec
from lab.steps import Step
from lab.wait import NotYet, until
from lab.write_kubeconfig import write_context
from lab.yaml_text import dump_yaml

KWOK = "0.8.0"
GUARD = "lab/guard"


def do_nothing() -> None:
    """Do nothing: the step only groups its needs."""


@dataclass(frozen=True)
class KindCluster:
    """One cluster being created. Each method is an idempotent step."""

    lab: Lab
    spec: ClusterSpec
    cluster: Cluster
    software: Mapping[str, Path]
    images: Mapping[str, str]
    bounded: bool
    cache: Cache = field(default_factory=Cache)
    made: list[str] = field(default_factory=list)
    """Its nodes, once this process has made them."""

    @property
    def run(self) -> Run:
        return self.lab.run

    @property
    def engine(self) -> Machine:
        return self.lab.machine

    @property
    def kind_name(self) -> str:
        return external_name(self.run.id, self.spec.name)

    @property
    def container(self) -> str:
        """The node of the control plane."""
        return f"{self.kind_name}-{NODE}"

    @cached_property
    def containers(self) -> list[str]:
        """Its nodes, that of the control plane first. A node and its container have one name."""
        return [f"{self.kind_name}-{role}" for role in kind_config.list_roles(self.spec)]

    @property
    def folder(self) -> Path:
        """What the node sees at kind_config.SHARED: the folder of its logs, where the audit log of its API server then is."""
        return self.run.folder("logs", self.spec.name)

    @property
    def subnet(self) -> IPv4Network:
        """The addresses of its pods, which no other cluster of the lab has."""
        return node.cluster_subnet(self.lab.clusters.index(self.cluster))

    @property
    def exported(self) -> Path:
        """The kubeconfig that kind writes, by a port of this computer."""
        return self.run.folder("data", self.spec.name) / "kind.kubeconfig"

    def network(self, container: str) -> Path:
        """The CNI configuration of a node; its folder is mounted over that of the image."""
        return self.run.folder("data", self.spec.name, container.removeprefix(f"{self.kind_name}-")) / node.CONFLIST

    def pods_of(self, container: str) -> str:
        """Return the addresses that the pods of a node have, once it has its network."""
        network = json.loads(self.network(container).read_bytes())
        return str(network["plugins"][0]["ipam"]["ranges"][0][0]["subnet"])

    def steps(self) -> list[Step]:
        name = self.spec.name
        first = 1 if self.cluster is self.lab.host else 0
        steps = [
            Step(f"{name}/node", self.node, (f"node-image/{self.spec.kubernetes}", GUARD), priority=first - 1),
            # kubeadm returns when these serve: who needs no more of the cluster need not wait for the rest.
            *(Step(f"{name}/{part}", do_nothing, (f"{name}/node",)) for part in ("kube-apiserver", "kube-controller-manager")),
            Step(f"{name}/applications", self.applications, (f"{name}/node",), priority=5),
        ]
        done = [f"{name}/node", f"{name}/applications"]
        if self.spec.nodes:
            kwok = self.kwok()
            leases = Step(f"{name}/leases", self.before_kwok, (f"{name}/node",))
            steps += [leases, *component.make_steps([kwok], self.run), Step(f"{name}/nodes", self.hollow_nodes, (f"{name}/node",))]
            done += [kwok.name, f"{name}/nodes"]
        return [*steps, Step(name, self.ready, tuple(done))]

    def node(self) -> None:
        """Make the cluster, unless it is there and answers; one that was stopped is started, a half-made one is deleted and made again."""
        record = self.run.recorded(RECORD, self.spec.name) or {}
        if record.get("state") == "made" and set(self.containers) <= set(docker.list_containers(self.engine, self.kind_name)):
            self.engine.run(["docker", "start", *self.containers], within=60.0)  # a no-op where they run
            self.kubeconfig()
            return
        wanted = {"containers": self.containers, "archives": node.ARCHIVES, "kind": self.kind_name}
        self.run.record(RECORD, self.spec.name, {**wanted, "state": "making"})
        self.engine.run(["docker", "rm", "--force", "--volumes", *self.containers], within=60.0)  # what an interrupted making left
        (self.cache.root / "images").mkdir(parents=True, exist_ok=True)
        write_private(self.folder / "audit-policy.yaml", dump_yaml(audit.POLICY).encode())
        self.give_network(self.container, node.first_node_subnet(self.subnet))
        config = self.exported.with_name("kind.yaml")
        write_private(config, dump_yaml(self.configuration()).encode())
        args = ["create", "cluster", "--name", self.kind_name, "--image", self.images[self.spec.kubernetes], "--config", str(config)]
        try:
            # --retain: what failed is looked at before it is deleted, by `delete`
            completed = self.engine.run(
                [str(self.software["kind"]), *args, "--retain", "--wait", "0s", "--kubeconfig", str(self.exported)],
                within=300.0,
            )
            self.log(completed.stdout + completed.stderr)
        except CommandFailed as failed:
            self.log(failed.output)
            raise self.explained(failed) from failed
        self.kubeconfig()
        for worker in self.containers[1:]:
            self.give_network(worker, self.handed_out(worker))
        self.run.record(RECORD, self.spec.name, {**wanted, "state": "made"})
        self.made.extend(self.containers)

    def handed_out(self, worker: str) -> IPv4Network:
        """Return the addresses that the cluster's controller manager has given a node for its pods."""

        def given() -> IPv4Network:
            if addresses := self.cluster.api.get(f"/api/v1/nodes/{worker}")["spec"].get("podCIDR"):
                return IPv4Network(addresses)
            raise NotYet(f"{worker} has no podCIDR")

        return until(
            given, what=f"{worker} is given addresses for its pods", within=60.0, remedy=command("logs", self.spec.name, lab=self.run.id)
        )

    def give_network(self, container: str, addresses: IPv4Network) -> None:
        """Write the network of a node's pods, which its containerd takes up at once."""
        write_private(self.network(container), json.dumps(node.make_cni_config(addresses), indent=1).encode(), mode=0o644)

    def log(self, text: str) -> None:
        """Append output of kind to its log of the run."""
        path = self.run.log(f"{self.spec.name}/kind")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as log:
            log.write(text)

    def explained(self, failed: CommandFailed) -> ProvisionError:
        """Return the error of a cluster that kind could not make: Docker has ended, or kind's last lines."""
        gone = docker.find_docker_error(Computer(engine=find_engine(self.run.path)))
        return ProvisionError(
            f"creating {self.spec.name} failed: {'Docker stopped answering' if gone else 'kind create cluster failed'}",
            where=str(self.run.log(f"{self.spec.name}/kind")),
            detail="\n".join(failed.output.splitlines()[-25:]),
            remedy=gone or None,
        )

    def configuration(self) -> dict[str, Any]:
        """Return kind's configuration of this cluster."""
        archives = self.cache.root / "images"
        networks = {role: self.network(f"{self.kind_name}-{role}").parent for role in kind_config.list_roles(self.spec)}
        return kind_config.make_cluster_config(
            self.spec, archives=archives, folder=self.folder, networks=networks, subnet=self.subnet, bounded=self.bounded
        )

    def kubeconfig(self) -> None:
        """Write the run's kubeconfig of this cluster: its administrator's, by the node's address, the context named as everywhere here."""
        admin = parse_kubeconfig(self.exported.read_bytes())
        write_context(self.cluster.kubeconfig, admin, name=self.cluster.context, server=f"https://{self.address()}:6443")

    def address(self) -> str:
        """Return the address of the control plane's node."""
        return self.addresses()[self.container]

    def addresses(self) -> dict[str, str]:
        """Return the address of each node, which is reached from here and from every other node."""
        inspected = json.loads(self.engine.run(["docker", "inspect", "--type", "container", *self.containers]).stdout)
        found = {}
        for container, facts in zip(self.containers, inspected, strict=True):
            networks = facts["NetworkSettings"]["Networks"].values()
            found[container] = next((str(network["IPAddress"]) for network in networks if network["IPAddress"]), "")
        for container, address in found.items():
            if not address:
                raise ProvisionError(f"a node of {self.spec.name} has no address", where=container, remedy=f"docker logs {container}")
        return found

    def applications(self) -> None:
        """Load the test applications, unless the nodes are new: their image contains them."""
        if self.made:
            return
        load_archive(self.lab, self.cluster, make_archive(applications.ALL, self.software, cache=self.cache))

    def kwok(self) -> component.Component:
        """Return the kwok of the hollow nodes; the real one is none of its business."""
        part = hollow.kwok_component(
            self.spec.name,
            hollow.KwokFiles(self.software[f"kwok@{KWOK}"], self.stages, self.cluster.kubeconfig),
            at=(LOOPBACK, self.port),
            nodes=sum(group.count for group in self.spec.nodes),
            needs=(f"{self.spec.name}/leases",),
            alone=False,
        )
        return part.changed(flags=self.spec.flags.get("kwok"), env=self.spec.env.get("kwok"))

    @property
    def stages(self) -> Path:
        """Where kwok's configuration is."""
        return self.run.path / "data" / self.spec.name / "kwok.yaml"

    def before_kwok(self) -> None:
        self.run.folder("data", self.spec.name)
        write_private(self.stages, hollow.kwok_configuration(self.software[f"kwok-stages@{KWOK}"]).encode())
        hollow.drop_stale_leases(self.cluster.api, self.run, self.spec.name)

    @property
    def port(self) -> int:
        return ports_of(self.run, self.spec.name, ["kwok"])["kwok"]

    def hollow_nodes(self) -> None:
        hollow.ensure_nodes(self.cluster.api, self.spec.name, self.spec.nodes, at=(LOOPBACK, self.port), alone=False)

    def ready(self) -> None:
        """Return when every node takes pods."""
        for container in self.containers:

            def node_ready(name: str = container) -> None:
                if why := hollow.unready_reason(self.cluster.api.get(f"/api/v1/nodes/{name}")):
                    raise NotYet(f"{name}: {why}")

            until(
                node_ready,
                what=f"the node {container} is Ready",
                within=120.0,
                remedy=f"docker exec {container} journalctl -u kubelet",
            )
