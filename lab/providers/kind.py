"""Clusters as containers: kind, side by side, of one node or several. Pods really run; programs here reach nodes by their address.

On Linux this computer and every other node reach a node by its address in Docker's network, so one kubeconfig that names it serves
programs here, Karmada's pods on the host cluster and members' agents alike. `lab.images.node` builds the node image where it is missing.
A cluster's name derives from the run (`lab.external_names.external_name`) and is recorded before the cluster is made.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lab import component, docker
from lab.assets.cache import default_root
from lab.cluster import Lab
from lab.computer import Computer, Probe
from lab.docker.checks import list_engine_errors as docker_refusals
from lab.docker.remove import remove_containers
from lab.docker_engine import find_engine, record_engine
from lab.doctor.checks import list_refusals
from lab.external_names import external_name
from lab.images import Image, applications, missing_software, node
from lab.images.load import RECORD
from lab.import_root import import_root
from lab.limits.finding import MIB, Needs, Share
from lab.machines.container import Container
from lab.machines.local import Local
from lab.preflight import Problem
from lab.providers import kind_rules
from lab.providers.kind_making import GUARD, KWOK, KindCluster
from lab.run import Run, runs_root
from lab.spec import Capability, LabSpec
from lab.steps import Step

MIB_OF_CLUSTER, MIB_OF_WORKER, MIB_OF_REST = 700, 250, 700
PROGRAMS_OF_REST, PORTS_OF_REST = 3, 10
"""Memory of one cluster without load, of each node beside its first, and of a Karmada on top."""
INOTIFY_OF_NODE = 45
"""Inotify instances of one node: systemd, containerd, the kubelet and the control plane's pods, all root's."""


@dataclass(frozen=True)
class Kind:
    """The provider of real pods that needs nothing but Docker."""

    offers: frozenset[Capability] = frozenset({Capability.PODS, Capability.MACHINES, Capability.HOLLOW})
    keeps: bool = False
    computer: Probe = field(default_factory=Computer)

    def probe(self, spec: LabSpec) -> frozenset[Capability]:  # noqa: ARG002 (every lab of it offers the same)
        """Return what its clusters can do."""
        return self.offers

    def check_spec(self, spec: LabSpec, *, lab: str = "") -> list[Problem]:
        """Return what kind, kubeadm and the kubelet cannot carry: flags, files, labels, names of nodes that are too long."""
        return [
            Problem(f"{path}{problem.path}", problem.why, problem.remedy)
            for path, cluster in spec.paths
            if not cluster.kubeconfig
            for problem in kind_rules.cluster_errors(cluster, lab=lab)
        ]

    def check(self, spec: LabSpec) -> list[str]:
        """Refuse what Docker and the limits of this computer do not allow."""
        needs = self.estimate(spec)
        return docker_refusals(self.computer, needs) or list_refusals(self.computer, needs)

    def estimate(self, spec: LabSpec) -> Needs:
        """Return what these nodes and a Karmada in pods take."""
        clusters, workers = len(spec.made), sum(group.count for cluster in spec.made for group in cluster.workers)
        memory = [Share("kind clusters", clusters, MIB_OF_CLUSTER * MIB)]
        if workers:
            memory.append(Share("workers", workers, MIB_OF_WORKER * MIB))
        memory.append(Share("Karmada, the supervisor and this command", 1, MIB_OF_REST * MIB, PROGRAMS_OF_REST))
        nodes = clusters + workers
        return Needs(
            memory=tuple(memory),
            in_engine=True,
            inotify=nodes * INOTIFY_OF_NODE,
            ports=PORTS_OF_REST,
            cache=default_root(),
            runs=runs_root(),
        )

    def software(self, spec: LabSpec) -> list[str]:
        """Return the assets of the nodes, kind, kubectl, kwok for hollow nodes, and what the test applications are made of."""
        versions = {cluster.kubernetes for cluster in spec.made}
        wanted = ["kind", *missing_software(applications.ALL), *(name for version in versions for name in node.list_software(version))]
        if any(cluster.nodes for cluster in spec.made):
            wanted += [f"kwok@{KWOK}", f"kwok-stages@{KWOK}"]
        return sorted(set(wanted))

    def images(self, spec: LabSpec) -> list[Image]:
        """Return the images in the nodes."""
        return [image for version in sorted({cluster.kubernetes for cluster in spec.made}) for image in node.list_contents(version)]

    def create(self, lab: Lab, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps: a node image a version, then every cluster at once."""
        record_engine(lab.run.path)
        bounded = docker.lacks_sys_resource(self.computer.read("/proc/self/status") or "")
        images: dict[str, str] = {}

        def image(version: str) -> None:
            images[version] = node.build_node_image(lab.machine, version, software, bounded=bounded)

        steps = [
            Step(f"node-image/{version}", partial(image, version), priority=-2, cpu_bound=True)
            for version in sorted({cluster.kubernetes for cluster in lab.spec.made})
        ]
        steps += component.make_steps([make_guard(lab.run)], lab.run)
        making = [KindCluster(lab, spec, cluster, software, images, bounded) for spec, cluster in zip(lab.spec.made, lab.made, strict=True)]
        for each in making:
            steps += each.steps()
        return [*steps, Step("routes", partial(add_routes, making), tuple(f"{each.spec.name}/node" for each in making))]

    def delete(self, run: Run) -> None:
        """Remove every node of the run with its volumes. ProvisionError when there are some and Docker does not answer."""
        made = run.records(RECORD)
        if not made:
            return
        engine = Local(run.path)
        recorded = [name for record in made.values() for name in record["containers"]]
        remove_containers(run, engine, lambda: docker.list_containers(engine, external_name(run.id, "")), recorded=recorded, what="nodes")
        for name in made:
            run.forget(RECORD, name)


def add_routes(making: Sequence[KindCluster]) -> None:
    """Make a flat pod network over all clusters of the lab: every node gets a route to the pod subnet of every other."""
    ways = [(container, each.pods_of(container), address) for each in making for container, address in each.addresses().items()]
    for one, _, _ in ways:
        others = "".join(f"route replace {pods} via {address}\n" for other, pods, address in ways if other != one)
        if others:
            Container(one, making[0].engine).run(["ip", "-batch", "-"], input=others)


def make_guard(run: Run) -> component.Component:
    """Return the program that has this run's containers removed when the lab ends without a caller that deletes it."""
    args = ("-m", "lab.docker.guard", external_name(run.id, ""))
    env = {"PYTHONPATH": str(import_root()), **find_engine(run.path)}
    return component.Component(name=GUARD, binary=Path(sys.executable), args=args, flags={}, env=env)
