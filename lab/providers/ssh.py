"""Clusters on machines, by kubeadm: hosts that are reached by ssh, and containers or virtual machines that a lab makes.

A cluster takes the machines of the lab in their order, the host cluster first: one or three for its `control_planes`, one for each of its
`workers`.
Everything is brought from this computer's cache, so that the machines need no network but the one between them. A machine is checked
before anything is brought to it, and `delete` makes the user's hosts what they were; machines that were made are deleted with all on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from lab import component
from lab.assets.cache import default_root
from lab.cluster import Lab
from lab.computer import Computer, Probe
from lab.doctor.checks import list_refusals
from lab.factories.containers import KIND as CONTAINER
from lab.images import Image, node
from lab.images.load import RECORD as NODES
from lab.kubeadm import files, paths
from lab.kubeadm.cluster import RECORD, MachineCluster
from lab.kubeadm.config import API
from lab.kubeadm.files import NodeFiles, collect_files
from lab.kubeadm.reset import reset_node
from lab.kubernetes_versions import knows
from lab.limits.finding import MIB, Needs, Share
from lab.machines.record import read_machines
from lab.machines.registry import open_machine
from lab.machines.route import check_route
from lab.preflight import Problem
from lab.providers.kind import INOTIFY_OF_NODE, make_guard
from lab.providers.kind_config import SECTIONS
from lab.providers.kind_rules import kubelet_error
from lab.run import Run, runs_root
from lab.spec import Capability, ClusterSpec, LabSpec
from lab.steps import Step

MIB_OF_CONTROL_PLANE, MIB_OF_WORKER, MIB_OF_REST = 750, 250, 700
"""Memory of a machine's node without load, and of a Karmada on top."""
PROGRAMS_OF_REST, PORTS_OF_REST = 3, 10


def count_machines(cluster: ClusterSpec) -> int:
    """Return how many machines a cluster takes."""
    return cluster.control_planes + sum(group.count for group in cluster.workers)


def assign_machines(spec: LabSpec) -> dict[str, tuple[str, ...]]:
    """Return the machines of each cluster that is made, those of control planes first; fewer where the lab has not enough."""
    left = list(spec.machine_names)
    found = {}
    for cluster in spec.made:
        taken, left = left[: count_machines(cluster)], left[count_machines(cluster) :]
        found[cluster.name] = tuple(taken)
    return found


def do_nothing() -> None:
    """Do nothing: the step only groups its needs."""


@dataclass(frozen=True)
class Ssh:
    """The provider of real pods on any machines."""

    offers: frozenset[Capability] = frozenset({Capability.PODS, Capability.MACHINES})
    keeps: bool = False
    computer: Probe = field(default_factory=Computer)

    def probe(self, spec: LabSpec) -> frozenset[Capability] | None:  # noqa: ARG002 (all its clusters are alike)
        return self.offers

    def check_spec(self, spec: LabSpec, *, lab: str = "") -> list[Problem]:  # noqa: ARG002 (names of machines are the lab's own)
        """Return what clusters of kubeadm on these machines cannot carry."""
        found = [
            Problem(f"{path}{problem.path}", problem.why, problem.remedy)
            for path, cluster in spec.paths
            if not cluster.kubeconfig
            for problem in list_cluster_errors(cluster)
        ]
        there, wanted = len(spec.machine_names), sum(count_machines(cluster) for cluster in spec.made)
        if spec.machines is None:
            found.append(
                Problem("machines", "clusters of provider ssh are on machines", 'add [machines] with kind = "container", or hosts')
            )
        elif spec.machines.kind == "namespace":
            found.append(
                Problem("machines.kind", "kubeadm needs systemd, which a namespace has not", "container, vm, or provider embedded")
            )
        elif there < wanted:
            why = f"the clusters take {wanted} machines (one for each control plane and each worker), and there are {there}"
            found.append(Problem("machines", why, f"add {wanted - there}"))
        return found

    def check(self, spec: LabSpec) -> list[str]:
        """Refuse what the limits of this computer do not allow. What its machines need of it is checked with them (`lab.machine_steps`)."""
        return list_refusals(self.computer, self.estimate(spec))

    def estimate(self, spec: LabSpec) -> Needs:
        """Return what these clusters take from this computer: little where the machines are others."""
        here = spec.machines is not None and spec.machines.kind != "ssh"
        planes, nodes = sum(cluster.control_planes for cluster in spec.made), sum(count_machines(cluster) for cluster in spec.made)
        memory = [Share("this command and the supervisor", 1, MIB_OF_REST * MIB, PROGRAMS_OF_REST)]
        if here:
            memory.append(Share("control planes on machines of this computer", planes, MIB_OF_CONTROL_PLANE * MIB))
            memory.append(Share("workers on machines of this computer", nodes - planes, MIB_OF_WORKER * MIB))
        return Needs(
            memory=tuple(memory),
            in_engine=here and spec.machines is not None and spec.machines.kind == CONTAINER,
            inotify=nodes * INOTIFY_OF_NODE if here else 0,
            ports=PORTS_OF_REST,
            cache=default_root(),
            runs=runs_root(),
        )

    def software(self, spec: LabSpec) -> list[str]:
        """Return the assets of the nodes and of the images in them."""
        return sorted({name for cluster in spec.made for name in files.list_software(cluster.kubernetes)})

    def images(self, spec: LabSpec) -> list[Image]:
        """Return the images in the nodes."""
        return [image for version in sorted({cluster.kubernetes for cluster in spec.made}) for image in node.list_contents(version)]

    def create(self, lab: Lab, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps: the files of each version once, then every cluster at once."""
        brought: dict[str, NodeFiles] = {}

        def collect(version: str) -> None:
            brought[version] = collect_files(lab.machine, version, software)

        versions = sorted({cluster.kubernetes for cluster in lab.spec.made})
        steps = [Step(f"node-files/{version}", partial(collect, version), priority=-2, cpu_bound=True) for version in versions]
        if lab.spec.machines is not None and lab.spec.machines.kind == CONTAINER:
            steps += component.make_steps([make_guard(lab.run)], lab.run)
        assigned = assign_machines(lab.spec)
        for number, spec in enumerate(lab.spec.made):
            planes, workers = assigned[spec.name][: spec.control_planes], assigned[spec.name][spec.control_planes :]
            made = MachineCluster(
                run=lab.run,
                cluster=lab.cluster(spec.name),
                version=spec.kubernetes,
                number=number,
                control_planes=planes,
                workers=workers,
                open=partial(open_machine, lab.run),
                address=partial(read_address, lab.run),
                check_route=partial(check_route, lab.run),
                files=partial(brought.__getitem__, spec.kubernetes),
                flags=spec.flags,
                labels=dict(zip(workers, [group.all_labels for group in spec.workers for _ in range(group.count)], strict=True)),
            )
            steps += cluster_steps(made, is_host=spec is lab.spec.host)
        return steps

    def delete(self, run: Run) -> None:
        """Reset the user's machines of every cluster, from the records alone. Machines that were made are deleted by their factories."""
        known = read_machines(run)
        for name, record in run.records(RECORD).items():
            for machine in record["machines"]:
                if machine in known and known[machine].kind == "ssh":
                    reset_node(open_machine(run, machine))
            run.forget(RECORD, name)
            run.forget(NODES, name)


def cluster_steps(made: MachineCluster, *, is_host: bool) -> list[Step]:
    """Return the steps of one cluster, recorded before the first; joining waits for members, and nothing waits for the host cluster."""
    name, run = made.cluster.name, made.run
    made.record()
    run.record(NODES, name, {"containers": [], "machines": list(made.machines), "ctr": paths.CTR, "folder": f"{paths.ROOT}/images"})
    steps = made.steps(files=f"node-files/{made.version}")
    serving = [Step(f"{name}/{part}", do_nothing, (f"{name}/node",)) for part in ("kube-apiserver", "kube-controller-manager")]
    loaded = Step(f"{name}/applications", do_nothing, (f"{name}/network",))  # they are among the images of each node
    return [replace(step, priority=step.priority + (1 if is_host else 0)) for step in [*steps, *serving, loaded]]


def read_address(run: Run, machine: str) -> str:
    """Return the address by which nodes reach a machine, from its record."""
    return read_machines(run)[machine].address


def list_cluster_errors(spec: ClusterSpec) -> Iterator[Problem]:
    """Yield what of a cluster's spec kubeadm on machines does not carry; paths begin with a dot."""
    if spec.files:
        yield Problem(".files", "the programs of the cluster are containers: they see no file of this computer", "leave them out")
    if spec.nodes:
        yield Problem(".nodes", "a cluster on machines has no hollow nodes", "leave them out, or take --provider kind")
    if not knows("kubeadm", API, spec.kubernetes):
        yield Problem(
            ".kubernetes", f"kubeadm {spec.kubernetes} does not read {API}, the configuration that is written for it", "1.31 or later"
        )
    for program in spec.env:
        yield Problem(f".env.{program}", "kubeadm's pods take flags only", "leave it out")
    for program in sorted(spec.flags.keys() - SECTIONS.keys()):
        yield Problem(f".flags.{program}", "kubeadm takes no flags of it", f"one of: {', '.join(sorted(SECTIONS))}")
    for number, group in enumerate(spec.workers):
        for key in group.all_labels:
            if why := kubelet_error(key):
                yield Problem(f'.workers[{number}].labels["{key}"]', why, "set it when the lab is up: kubectl label node NODE …")
