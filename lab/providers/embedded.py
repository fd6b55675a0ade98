"""Clusters as processes of this computer: etcd, kube-apiserver, controller-manager, scheduler, and kwok for nodes.

No Docker, no VM, seconds. Each cluster has an authority, an etcd and ports of its own,
all on loopback, so that several labs run side by side. Flags follow kubeadm's where they matter to a client; what a lab
does differently has a comment beside the flag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from lab import component
from lab.assets.cache import default_root
from lab.cluster import Cluster, Lab
from lab.component import Component
from lab.computer import Computer, Probe
from lab.doctor.checks import list_refusals
from lab.hollow import drop_stale_leases, ensure_nodes
from lab.kubernetes_versions import find_etcd
from lab.limits.finding import MIB, Needs, Share
from lab.machines.placement import place_run
from lab.preflight import Problem
from lab.providers.embedded_cluster import KWOK, make_components, reserve_cluster_ports, write_identity
from lab.run import Run, runs_root
from lab.spec import Capability, ClusterSpec, LabSpec
from lab.steps import Step

MIB_OF_CLUSTER = 430
"""Resident memory of one cluster without load, measured: kube-apiserver 250, controller-manager 75, scheduler 50, etcd 40, kwok 45."""
PROGRAMS_OF_CLUSTER, PROGRAMS_OF_REST = 5, 7
PORTS_OF_CLUSTER, PORTS_OF_REST = 8, 21
MIB_PER_NODE = 0.25
INOTIFY_OF_CLUSTER, INOTIFY_OF_REST = 11, 12
"""Inotify instances: 6 of a kube-apiserver and 5 of a controller-manager, each a certificate file watched; the rest is Karmada's own."""

DISK_MIB_OF_CLUSTER = 150
"""What one control plane writes, measured: an etcd makes two files of 64 MiB for its log at once, the rest is growth."""

MIB_OF_REST = 700
"""Of what stands on top and beside: a Karmada control plane, the supervisor, the command itself."""


@dataclass(frozen=True)
class Embedded:
    """The default provider."""

    offers: frozenset[Capability] = frozenset({Capability.MACHINES, Capability.HOLLOW})
    keeps: bool = True
    computer: Probe = field(default_factory=Computer)

    def probe(self, spec: LabSpec) -> frozenset[Capability]:  # noqa: ARG002 (every lab of it offers the same)
        """Return what its clusters can do."""
        return self.offers

    def check_spec(self, spec: LabSpec, *, lab: str = "") -> list[Problem]:  # noqa: ARG002 (its names stay in its directory)
        """Return the keys that would have no effect: real nodes, and settings of programs that a cluster does not have."""
        return [
            Problem(f"{path}{problem.path}", problem.why, problem.remedy)
            for path, cluster in spec.paths
            if not cluster.kubeconfig
            for problem in list_ineffective_keys(cluster)
        ]

    def check(self, spec: LabSpec) -> list[str]:
        """Refuse a lab that this computer's limits do not allow, with the arithmetic."""
        return list_refusals(self.computer, self.estimate(spec))

    def estimate(self, spec: LabSpec) -> Needs:
        """Return what these clusters and a Karmada take: figures measured without load."""
        clusters, nodes = len(spec.made), sum(group.count for cluster in spec.made for group in cluster.nodes)
        memory = [Share("clusters", clusters, MIB_OF_CLUSTER * MIB, PROGRAMS_OF_CLUSTER)]
        if nodes:
            memory.append(Share("hollow nodes", nodes, int(MIB_PER_NODE * MIB)))
        memory.append(Share("Karmada, the supervisor and this command", 1, MIB_OF_REST * MIB, PROGRAMS_OF_REST))
        return Needs(
            memory=tuple(memory),
            inotify=estimate_inotify(clusters),
            disk=(clusters + 1) * DISK_MIB_OF_CLUSTER * MIB,  # and Karmada's etcd
            ports=clusters * PORTS_OF_CLUSTER + PORTS_OF_REST,
            cache=default_root(),
            runs=runs_root(),
        )

    def software(self, spec: LabSpec) -> list[str]:
        """Return the assets that these clusters need, as name@version."""
        versions = {cluster.kubernetes for cluster in spec.made}
        wanted = [f"kwok@{KWOK}", f"kwok-stages@{KWOK}", *{f"etcd@{find_etcd(version)}" for version in versions}]
        for version in versions:
            wanted += [f"{name}@{version}" for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")]
        return sorted(wanted)

    def create(self, lab: Lab, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps of all clusters; the one that carries a cluster's name ends when it answers and has its nodes."""
        steps = bring_steps(lab, software)
        for spec, cluster in zip(lab.spec.made, lab.made, strict=True):
            made = cluster_steps(lab.run, spec, cluster, software)
            # The steps that join members wait for them; nothing waits for the host cluster.
            steps += [replace(step, priority=1) for step in made] if cluster is lab.host else made
        return steps

    def delete(self, run: Run) -> None:
        """Nothing to do: the supervisor has ended the processes, and everything else is inside the run directory."""


def list_ineffective_keys(cluster: ClusterSpec) -> Iterator[Problem]:
    """Yield what of a cluster's spec changes nothing; paths begin with a dot."""
    if cluster.workers:
        yield Problem(".workers", "workers need containers, and an embedded cluster runs none", "set nodes, or take --provider kind")
    if cluster.control_planes > 1:
        yield Problem(".control_planes", "an embedded cluster has one control plane", "leave it out, or take --provider ssh")
    programs = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", *(["kwok"] if cluster.nodes else [])}
    for key, table in (("flags", cluster.flags), ("env", cluster.env)):
        for program in table.keys() - programs:
            why = "this cluster has no such program" if program != "kwok" else "this cluster has no nodes, so no kwok"
            yield Problem(f".{key}.{program}", why, f"one of: {', '.join(sorted(programs))}")


def estimate_inotify(clusters: int) -> int:
    """Return how many inotify instances a lab of so many clusters takes, Karmada included."""
    return clusters * INOTIFY_OF_CLUSTER + INOTIFY_OF_REST


def cluster_steps(run: Run, spec: ClusterSpec, cluster: Cluster, software: Mapping[str, Path]) -> list[Step]:
    """Return the steps of one cluster: its identity, its programs, its nodes."""
    name, placement = spec.name, place_run(run, spec.machine)
    brought = (bring_step(spec.machine),) if spec.machine else ()
    parts = [
        part.changed(flags=spec.flags.get(program_name(part)), env=spec.env.get(program_name(part)))
        for part in make_components(placement, spec, cluster, software)
    ]
    kubelet = (placement.address, reserve_cluster_ports(run, spec)["kwok"])
    nodes = Step(f"{name}/nodes", lambda: ensure_nodes(cluster.api, name, spec.nodes, at=kubelet), (f"{name}/kube-apiserver",))
    return [
        Step(f"{name}/leases", lambda: drop_stale_leases(cluster.api, run, name), (f"{name}/kube-apiserver",)),
        Step(f"{name}/identity", lambda: write_identity(placement, spec, cluster, software), brought),
        *component.make_steps(parts, run),
        nodes,
        Step(name, lambda: check_cluster(cluster), (nodes.name, *(part.name for part in parts))),
    ]


def bring_steps(lab: Lab, software: Mapping[str, Path]) -> list[Step]:
    """Return one step for each machine that clusters are placed on: it copies the programs of all of them there."""
    programs: dict[str, set[Path]] = {}
    for spec in lab.spec.made:
        if spec.machine:
            programs.setdefault(spec.machine, set()).update(software[asset] for asset in list_programs(spec))
    return [Step(bring_step(name), partial(place_run(lab.run, name).bring, paths)) for name, paths in programs.items()]


def bring_step(machine: str) -> str:
    """Return the name of the step that copies programs to a machine."""
    return f"machines/{machine}/programs"


def list_programs(spec: ClusterSpec) -> list[str]:
    """Return the programs of one cluster, as name@version."""
    kubernetes = [f"{name}@{spec.kubernetes}" for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")]
    return [f"etcd@{find_etcd(spec.kubernetes)}", *kubernetes, *([f"kwok@{KWOK}"] if spec.nodes else [])]


def check_cluster(cluster: Cluster) -> None:
    """Return when the cluster serves a request of its administrator."""
    cluster.api.get("/api/v1/namespaces/kube-system")


def program_name(part: Component) -> str:
    """Return the program's name without its cluster's."""
    return part.name.rpartition("/")[2]
