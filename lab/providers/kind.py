"""Clusters as containers: kind, one node each, side by side. Pods really run; programs of this computer reach nodes by their address.

On Linux a node's address in Docker's network is reached from this computer and from every other node, so a kubeconfig that names it serves
programs here, Karmada's pods on the host cluster and members' agents alike. The node image is made here where it is not
there yet (`lab.images.node`). What a cluster is called derives from the run (`lab.ledger.outside_name`), and is recorded before it is made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import yaml

from lab import audit, component, docker, hollow
from lab.assets.cache import Cache
from lab.cluster import Cluster, Lab
from lab.computer import Computer, Probe
from lab.errors import CommandFailed, ProvisionError
from lab.images import applications, archived, load, node, software
from lab.images.load import RECORD
from lab.ledger import outside_name
from lab.machines import Machine
from lab.machines.local import Local
from lab.ports import ports_of
from lab.providers import kind_config
from lab.providers.kind_config import NODE, SECTIONS, SERVICES
from lab.run import Run, write_private
from lab.spec import Capability, ClusterSpec, LabSpec
from lab.steps import Step
from lab.wait import NotYet, until

Json = dict[str, Any]
KWOK = "0.8.0"
MIB_OF_CLUSTER, MIB_OF_REST = 700, 700
"""Memory of one cluster without load, and of a Karmada on top."""
INOTIFY_OF_CLUSTER = 45
"""Inotify instances of one node: systemd, containerd, the kubelet and the control plane's pods, all root's."""
GUARD = "lab/guard"
LONGEST = 63
"""Characters of a node's name, which is its host name."""


@dataclass(frozen=True)
class Kind:
    """The provider of real pods that needs nothing but Docker."""

    offers: frozenset[Capability] = frozenset({Capability.PODS, Capability.MACHINES, Capability.HOLLOW})
    keeps: bool = False
    computer: Probe = field(default_factory=Computer)

    def check(self, spec: LabSpec) -> list[str]:
        """Refuse what Docker, memory or inotify instances here do not allow, and flags that kubeadm cannot carry."""
        if engine := docker.obstacle(self.computer):
            return [engine]
        return [
            *self.check_runtime(),
            *self.check_memory(spec),
            *self.check_inotify(spec),
            *(each for cluster in spec.clusters for each in unfit(cluster)),
        ]

    def check_runtime(self) -> list[str]:
        """Where CAP_SYS_RESOURCE is out of bounds, a node starts only by a runtime that does not ask for it."""
        if not docker.bounded(self.computer.read("/proc/self/status") or ""):
            return []
        runtime = self.computer.ask(["docker", "info", "--format", "{{.DefaultRuntime}}"]).line
        if runtime == docker.RUNTIME:
            return []
        why = f"CAP_SYS_RESOURCE is out of bounds here and the runtime is {runtime or 'not known'}"
        return [f"docker: privileged containers cannot start, for {why}: {docker.SETUP}"]

    def check_memory(self, spec: LabSpec) -> list[str]:
        need, free = MIB_OF_REST + len(spec.clusters) * MIB_OF_CLUSTER, psutil.virtual_memory().available / 2**20
        if need <= free:
            return []
        fits = max(0, int((free - MIB_OF_REST) // MIB_OF_CLUSTER) - 1)
        return [
            f"memory: {len(spec.clusters)} kind clusters × {MIB_OF_CLUSTER} MiB and {MIB_OF_REST} MiB for the rest need "
            f"{need / 1024:.1f} GiB; {free / 1024:.1f} GiB are free: ask for {fits} members or fewer"
        ]

    def check_inotify(self, spec: LabSpec) -> list[str]:
        limit = int(self.computer.read("/proc/sys/fs/inotify/max_user_instances") or 0)
        need, free = len(spec.clusters) * INOTIFY_OF_CLUSTER, limit - self.computer.inotify_in_use()
        if need <= free or not limit:
            return []
        return [
            f"inotify: {len(spec.clusters)} nodes need about {need} instances and {free} of {limit} are free: make setup-docker raises them"
        ]

    def software(self, spec: LabSpec) -> list[str]:
        """Return the assets of the nodes, kind, kubectl, kwok for hollow nodes, and what the test applications are made of."""
        versions = {cluster.kubernetes for cluster in spec.clusters}
        wanted = ["kind", *software(applications.ALL), *(name for version in versions for name in node.needs(version))]
        if any(cluster.nodes for cluster in spec.clusters):
            wanted += [f"kwok@{KWOK}", f"kwok-stages@{KWOK}"]
        return sorted(set(wanted))

    def create(self, lab: Lab, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps: a node image a version, then every cluster at once."""
        bounded = docker.bounded(self.computer.read("/proc/self/status") or "")
        images: dict[str, str] = {}

        def image(version: str) -> None:
            images[version] = node.built(lab.machine, version, software, bounded=bounded)

        steps = [
            Step(f"node-image/{version}", partial(image, version), first=-2, heavy=True)
            for version in sorted({cluster.kubernetes for cluster in lab.spec.clusters})
        ]
        steps += component.steps([guard(lab.run)], lab.run)
        making = [
            Making(lab, spec, cluster, software, images, bounded) for spec, cluster in zip(lab.spec.clusters, lab.clusters, strict=True)
        ]
        for each in making:
            steps += each.steps()
        return [*steps, Step("routes", partial(route, making), tuple(f"{each.spec.name}/node" for each in making))]

    def delete(self, run: Run) -> None:
        """Remove every node of the run with its volumes. ProvisionError when there are some and Docker does not answer."""
        made = run.records(RECORD)
        if not made:
            return
        engine = Local(run.path)

        def gone() -> None:
            if names := docker.containers(engine, outside_name(run.id, "")):
                run.journal("delete", containers=names)
                try:
                    engine.run(["docker", "rm", "--force", "--volumes", *names], within=120.0)
                except CommandFailed as failed:
                    if "already in progress" in failed.output:  # the guard is at it
                        raise NotYet(failed.output.strip()) from failed
                    raise

        try:
            until(gone, what=f"the nodes of {run.id} are gone", within=120.0)
        except CommandFailed as failed:
            raise ProvisionError(
                f"the nodes of {run.id} cannot be removed: Docker does not answer",
                where=", ".join(name for record in made.values() for name in record["containers"]),
                detail=failed.output,
                remedy=f"start Docker, then: lab down --lab {run.id}",
            ) from failed
        for name in made:
            run.forget(RECORD, name)


def nothing() -> None:
    """A step that has passed when what it needs has."""


def route(making: Sequence[Making]) -> None:
    """Have pods of every cluster reach those of every other by their addresses, as in a flat network: each node knows the way."""
    addresses = [each.address() for each in making]
    for one in making:
        for other, address in zip(making, addresses, strict=True):
            if other is not one:
                one.engine.run(["docker", "exec", one.container, "ip", "route", "replace", other.subnet, "via", address])


def guard(run: Run) -> component.Component:
    """Return the program that has this run's containers removed when the lab ends without anybody to delete it."""
    words, env = ("-m", "lab.docker.guard", outside_name(run.id, "")), {"PYTHONPATH": str(Path(__file__).parents[2])}
    return component.Component(name=GUARD, binary=Path(sys.executable), words=words, flags={}, env=env)


def unfit(spec: ClusterSpec) -> list[str]:
    """Return what of a cluster's spec kind cannot carry out."""
    found = []
    for program, flags in spec.flags.items():
        if program not in {*SECTIONS, "kwok"}:
            found.append(f"{spec.name}: flags of {program}: kind takes those of {', '.join(sorted({*SECTIONS, 'kwok'}))}")
        elif program != "kwok" and (dropped := [name for name, value in flags.items() if value is None]):
            found.append(f"{spec.name}: {program}: kubeadm sets flags but drops none: {', '.join(dropped)}")
    found += [f"{spec.name}: env of {program}: kubeadm's pods take flags only" for program in spec.env if program != "kwok"]
    return found


@dataclass(frozen=True)
class Making:
    """One cluster being made. Each method is a step and may be run again: what is there is kept."""

    lab: Lab
    spec: ClusterSpec
    cluster: Cluster
    software: Mapping[str, Path]
    images: Mapping[str, str]
    bounded: bool
    cache: Cache = field(default_factory=Cache)

    @property
    def run(self) -> Run:
        return self.lab.run

    @property
    def engine(self) -> Machine:
        return self.lab.machine

    @property
    def kind_name(self) -> str:
        return outside_name(self.run.id, self.spec.name)

    @property
    def container(self) -> str:
        return f"{self.kind_name}-{NODE}"

    @property
    def folder(self) -> Path:
        """What the node sees at kind_config.SHARED: the folder of its logs, where the audit log of its API server then is."""
        return self.run.folder("logs", self.spec.name)

    @property
    def subnet(self) -> str:
        """The addresses of its pods, which no other cluster of the lab has."""
        return node.subnet(self.lab.clusters.index(self.cluster))

    @property
    def network(self) -> Path:
        """The file of the node's network, which is mounted over the image's."""
        return self.run.folder("data", self.spec.name) / "network.conflist"

    def steps(self) -> list[Step]:
        name = self.spec.name
        first = 1 if self.cluster is self.lab.host else 0
        steps = [
            Step(f"{name}/node", self.node, (f"node-image/{self.spec.kubernetes}", GUARD), first=first - 1),
            # kubeadm returns when these serve: who needs no more of the cluster need not wait for the rest.
            *(Step(f"{name}/{part}", nothing, (f"{name}/node",)) for part in ("kube-apiserver", "kube-controller-manager")),
            Step(f"{name}/applications", self.applications, (f"{name}/node",), first=5),
        ]
        done = [f"{name}/node", f"{name}/applications"]
        if self.spec.nodes:
            kwok = self.kwok()
            leases = Step(f"{name}/leases", self.before_kwok, (f"{name}/node",))
            steps += [leases, *component.steps([kwok], self.run), Step(f"{name}/nodes", self.hollow_nodes, (f"{name}/node",))]
            done += [kwok.name, f"{name}/nodes"]
        return [*steps, Step(name, self.ready, tuple(done))]

    def node(self) -> None:
        """Make the cluster, unless it is there and answers; one that was stopped is started, one that was begun only is made anew."""
        record = self.run.recorded(RECORD, self.spec.name) or {}
        if record.get("state") == "made" and self.container in docker.containers(self.engine, self.container):
            self.engine.run(["docker", "start", self.container], within=60.0)  # a no-op where it runs
            self.kubeconfig()
            return
        if len(self.container) > LONGEST:
            raise ProvisionError(f"the name of the node is too long: {self.container}", remedy="take a shorter name for the lab or cluster")
        wanted = {"containers": [self.container], "archives": node.ARCHIVES, "kind": self.kind_name}
        self.run.record(RECORD, self.spec.name, {**wanted, "state": "making"})
        self.engine.run(["docker", "rm", "--force", "--volumes", self.container], within=60.0)  # what an interrupted making left
        (self.cache.root / "images").mkdir(parents=True, exist_ok=True)
        write_private(self.folder / "audit-policy.yaml", yaml.safe_dump(audit.POLICY, sort_keys=False).encode())
        write_private(self.network, json.dumps(node.network(self.subnet), indent=1).encode(), mode=0o644)
        config = self.run.folder("data", self.spec.name) / "kind.yaml"
        write_private(config, yaml.safe_dump(self.configuration(), sort_keys=False).encode())
        words = ["create", "cluster", "--name", self.kind_name, "--image", self.images[self.spec.kubernetes], "--config", str(config)]
        kubeconfig = config.with_name("kind.kubeconfig")
        try:
            # --retain: what failed is looked at before it is deleted, by `delete`
            said = self.engine.run(
                [str(self.software["kind"]), *words, "--retain", "--wait", "0s", "--kubeconfig", str(kubeconfig)],
                within=300.0,
            )
            self.log(said.stdout + said.stderr)
        except CommandFailed as failed:
            self.log(failed.output)
            raise self.explained(failed) from failed
        self.kubeconfig()
        self.run.record(RECORD, self.spec.name, {**wanted, "state": "made"})

    def log(self, said: str) -> None:
        """Keep what kind said among the logs of the run."""
        path = self.run.log(f"{self.spec.name}/kind")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as log:
            log.write(said)

    def explained(self, failed: CommandFailed) -> ProvisionError:
        """Return the error of a cluster that kind could not make: Docker's end, or kind's last words."""
        gone = docker.obstacle(Computer())
        return ProvisionError(
            f"{self.spec.name} could not be made: {'Docker stopped answering' if gone else 'kind create cluster failed'}",
            where=str(self.run.log(f"{self.spec.name}/kind")),
            detail="\n".join(failed.output.splitlines()[-25:]),
            remedy=gone or None,
        )

    def configuration(self) -> Json:
        """Return kind's configuration of this cluster."""
        archives = self.cache.root / "images"
        return kind_config.cluster(
            self.spec, archives=archives, folder=self.folder, network=self.network, subnet=self.subnet, bounded=self.bounded
        )

    def kubeconfig(self) -> None:
        """Write the run's kubeconfig of this cluster: its administrator's, by the node's address, the context named as everywhere here."""
        admin = yaml.safe_load(self.engine.run(["docker", "exec", self.container, "cat", "/etc/kubernetes/admin.conf"]).stdout)
        cluster, user = admin["clusters"][0]["cluster"], admin["users"][0]["user"]
        context = self.cluster.context
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": {**cluster, "server": f"https://{self.address()}:6443"}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "current-context": context,
            "users": [{"name": context, "user": user}],
        }
        write_private(self.cluster.kubeconfig, yaml.safe_dump(document, sort_keys=False).encode())

    def address(self) -> str:
        """Return the node's address, which is reached from here and from every other node."""
        found = json.loads(self.engine.run(["docker", "inspect", "--type", "container", self.container]).stdout)
        for network in found[0]["NetworkSettings"]["Networks"].values():
            if address := network["IPAddress"]:
                return str(address)
        raise ProvisionError(f"the node of {self.spec.name} has no address", where=self.container, remedy=f"docker logs {self.container}")

    def applications(self) -> None:
        load(self.lab, self.cluster, archived(applications.ALL, self.software, cache=self.cache))

    def kwok(self) -> component.Component:
        """Return the kwok of the hollow nodes; the real one is none of its business."""
        part = hollow.kwok(
            self.spec.name,
            binary=self.software[f"kwok@{KWOK}"],
            config=self.stages,
            kubeconfig=self.cluster.kubeconfig,
            port=self.port,
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
        write_private(self.stages, hollow.configuration(self.software[f"kwok-stages@{KWOK}"]).encode())
        hollow.drop_stale_leases(self.cluster.api, self.run, self.spec.name)

    @property
    def port(self) -> int:
        return ports_of(self.run, self.spec.name, ["kwok"])["kwok"]

    def hollow_nodes(self) -> None:
        hollow.ensure_nodes(self.cluster.api, self.spec.name, self.spec.nodes, port=self.port, alone=False)

    def fence(self) -> None:
        """Have the node refuse what is for a Service and is not led to a pod.

        kube-proxy knows a new Service some seconds after it is there, longer on a busy computer. Until then a connection to its address
        leaves the node, for whatever answers on this computer's network: a gateway's 404 was taken for the Service's own, over a
        connection that was kept for good. Packets that kube-proxy does lead have another destination when these rules see them.
        """
        for chain in ("FORWARD", "OUTPUT"):
            rule = [chain, "--destination", SERVICES, "--jump", "REJECT"]
            try:
                self.engine.run(["docker", "exec", self.container, "iptables", "--check", *rule])
            except CommandFailed:
                self.engine.run(["docker", "exec", self.container, "iptables", "--insert", *rule])

    def ready(self) -> None:
        """Return when the node takes pods."""
        self.fence()
        api = self.cluster.api

        def node_ready() -> None:
            why = hollow.obstacle(api.get(f"/api/v1/nodes/{self.container}"))
            if why:
                raise NotYet(f"{self.container}: {why}")

        until(
            node_ready,
            what=f"the node of {self.spec.name} is Ready",
            within=120.0,
            remedy=f"docker exec {self.container} journalctl -u kubelet",
        )
