"""Backends of the fake nodes: kwok, which the lab starts by itself, or kubemark's hollow kubelets, one process each.

kwok is one program for all nodes of a cluster and moves pods by patching them. A hollow kubelet is the real kubelet, of the pinned
Kubernetes, with a runtime that runs nothing: it watches, syncs and reports each pod as a node does. The same shape on both shows what
kwok leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from deployers.release import make_supply
from lab import component
from lab.assets.refs import AssetRef
from lab.cluster import Cluster, Lab
from lab.component import Component, Health
from lab.errors import UsageError
from lab.hollow import unready_reason, wait_each
from lab.ports import ports_of
from perf.shapes import CPU_MILLIS, LOST, MEMORY_MIB, ROOM, SURVIVOR, Shape

BACKENDS = ("kwok", "kubemark")
KUBEMARK_NODES = 60
"""Maximum of hollow kubelets in one trial: each is a process of about 60 MiB that uses the CPU of a working kubelet."""
MIB_OF_KUBELET = 60
KUBEMARK_CPU_MILLIS, KUBEMARK_MEMORY_MIB = 1000, 3750
"""The capacity that a hollow kubelet reports (kubernetes cmd/kubemark: one core)."""


def resolve_kubemark(kubernetes: str) -> Path:
    """Return the kubemark program of a Kubernetes version; build or download it first if the cache lacks it."""
    ref = AssetRef.parse(f"kubemark@{kubernetes}")
    return make_supply().resolve([ref])[ref]


def check_backend(shape: Shape) -> None:
    """Raise UsageError when the shape needs too many hollow kubelets, or its nodes have no room for the pods."""
    nodes = shape.nodes + (shape.survivor_nodes or shape.nodes)
    if nodes > KUBEMARK_NODES:
        raise UsageError(
            f"{nodes} hollow kubelets are too many: each is a process of {MIB_OF_KUBELET} MiB, and the maximum is {KUBEMARK_NODES}",
            remedy=f"--nodes {KUBEMARK_NODES // 2}, or --backend kwok",
        )
    each = min(ROOM.pods, KUBEMARK_CPU_MILLIS // CPU_MILLIS, KUBEMARK_MEMORY_MIB // MEMORY_MIB)
    room = (shape.survivor_nodes or shape.nodes) * each
    if shape.pods > room:
        raise UsageError(
            f"the survivor is too small: {room // each} hollow kubelets × {each} pods = {room}, and {shape.pods} pods are to move there",
            remedy="fewer pods, or more nodes",
        )


def build_hollow_kubelet(lab: Lab, member: Cluster, number: int, *, binary: Path) -> Component:
    """Return one hollow kubelet as a component of the lab. It logs warnings only; the supervisor restarts it like any other."""
    name = f"{member.name}-node-{number}"
    folder = lab.run.folder("data", member.name, f"hollow-{number}")
    port = ports_of(lab.run, f"{member.name}-hollow", [f"{number}.{use}" for use in ("kubelet", "read-only")])
    return Component(
        name=f"{member.name}/hollow-{number}",
        binary=binary,
        flags={
            "morph": "kubelet",
            "name": name,
            "kubeconfig": str(member.kubeconfig),
            "kubelet-port": str(port[f"{number}.kubelet"]),
            "kubelet-read-only-port": str(port[f"{number}.read-only"]),
            "cert-dir": str(folder),
            "kube-api-qps": "50",
            "kube-api-burst": "100",
            "use-host-image-service": "false",  # there is no containerd to ask
            "v": "0",
        },
        env={"TMPDIR": str(folder)},  # its root directory is a temporary one that it never removes
        needs=(f"{member.name}/kube-apiserver",),
        ready=(Health(f"http://127.0.0.1:{port[f'{number}.read-only']}/healthz"),),
        ports={use: port[f"{number}.{use}"] for use in ("kubelet", "read-only")},
    )


def start_nodes(lab: Lab, shape: Shape, *, binary: Path) -> None:
    """Start the hollow kubelets of both members, four at a time, and return when every node is Ready."""
    counts = {LOST: shape.nodes, SURVIVOR: shape.survivor_nodes or shape.nodes}
    programs = [
        build_hollow_kubelet(lab, lab.member(name), number, binary=binary) for name, count in counts.items() for number in range(count)
    ]
    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="hollow") as pool:
        list(pool.map(partial(component.start, run=lab.run), programs))
    for name, count in counts.items():
        names = {f"{name}-node-{number}" for number in range(count)}
        wait_each(lab.member(name).api, "/api/v1/nodes", names, unready_reason, what=f"the hollow nodes of {name} are Ready", within=120.0)


def compute_cost_per_node(usage: Mapping[str, tuple[float, int]], member: str, nodes: int) -> dict[str, Any]:
    """Return, per node, the resident MiB and the CPU seconds so far of the programs that simulate a member's nodes."""
    own = [used for name, used in usage.items() if name == f"{member}/kwok" or name.startswith(f"{member}/hollow-")]
    return {
        "processes": len(own),
        "mib": round(sum(rss for _cpu, rss in own) / nodes / 2**20, 3) if own else None,
        "cpu_seconds": round(sum(cpu for cpu, _rss in own) / nodes, 4) if own else None,
    }
