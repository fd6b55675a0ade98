"""Hollow nodes: node objects that kwok keeps Ready and whose pods it moves through their life. No container runs.

Stages are kwok's own (its module, kustomize/stage), read from the pinned release and never copied here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from lab.api import Api, Refused
from lab.component import Component, Health
from lab.errors import NotReady
from lab.spec import Nodes

Json = dict[str, Any]

STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)
"""What kwokctl gives a cluster by default: nodes and pods get ready at once, jobs complete, deletions finish."""

LEASE_SECONDS = 40
"""Of a node's lease. kwok renews at a quarter of it; the node controller allows 40 s (--node-monitor-grace-period's default is 50)."""


def configuration(stages: Path, *, extra: Sequence[Path] = ()) -> str:
    """Return kwok's configuration file: its stages, and as many workers as keep 2,000 nodes on time."""
    options = {
        "kind": "KwokConfiguration",
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "options": {"nodePlayStageParallelism": 16, "nodeLeaseParallelism": 16, "podPlayStageParallelism": 16},
    }
    documents = [yaml.safe_dump(options), *((stages / stage).read_text() for stage in STAGES), *(path.read_text() for path in extra)]
    return "---\n".join(documents)


def kwok(cluster: str, *, binary: Path, config: Path, kubeconfig: Path, port: int, needs: tuple[str, ...]) -> Component:
    """Return the kwok controller of one cluster; it manages every node there."""
    return Component(
        name=f"{cluster}/kwok",
        binary=binary,
        flags={
            "config": str(config),
            "kubeconfig": str(kubeconfig),
            "manage-all-nodes": "true",
            "node-lease-duration-seconds": str(LEASE_SECONDS),
            "server-address": f"127.0.0.1:{port}",
            "node-ip": "127.0.0.1",
            "node-port": str(port),
        },
        needs=needs,
        ready=(Health(f"http://127.0.0.1:{port}/healthz"),),
        ports={"http": port},
    )


def manifests(cluster: str, groups: Sequence[Nodes]) -> Iterator[Json]:
    """Yield the Node objects of a cluster: `<cluster>-node-<n>`, counted through all groups."""
    number = 0
    for group in groups:
        capacity = {"cpu": group.cpu, "memory": group.memory, "pods": str(group.pods), "ephemeral-storage": "100Gi"}
        places = {"topology.kubernetes.io/zone": group.zone, "topology.kubernetes.io/region": group.region}
        for _ in range(group.count):
            name = f"{cluster}-node-{number}"
            number += 1
            yield {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "annotations": {"kwok.x-k8s.io/node": "fake"},
                    "labels": {
                        "kubernetes.io/arch": "amd64",
                        "kubernetes.io/os": "linux",
                        "kubernetes.io/hostname": name,
                        "node.kubernetes.io/instance-type": "hollow",
                        **{label: value for label, value in places.items() if value},
                        **group.labels,
                    },
                },
                "status": {"allocatable": capacity, "capacity": capacity},
            }


def ensure_nodes(api: Api, cluster: str, groups: Sequence[Nodes], *, within: float = 120.0) -> None:
    """Create the nodes that are not there, and return when all are Ready and schedulable (no taint is left on them).

    Nodes of the cluster that the spec does not name are left alone.
    """
    wanted = {manifest["metadata"]["name"]: manifest for manifest in manifests(cluster, groups)}
    if not wanted:
        return

    def ensure(manifest: Json) -> None:
        try:
            api.create(manifest)
        except Refused as refused:
            if refused.status != 409:
                raise

    there = {item["metadata"]["name"] for item in api.items("/api/v1/nodes")}
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="nodes") as pool:
        list(pool.map(ensure, (manifest for name, manifest in wanted.items() if name not in there)))
    until_ready(api, cluster, set(wanted), within=within)


def until_ready(api: Api, cluster: str, names: set[str], *, within: float) -> None:
    """Watch until these nodes are Ready and carry no taint. NotReady names one that is not, and why."""
    waiting = dict.fromkeys(names, "not seen yet")
    began = changed = time.monotonic()
    for kind, node in api.watch("/api/v1/nodes", within=within):
        name = node["metadata"]["name"]
        if name not in names:
            continue
        missing = "deleted" if kind == "DELETED" else obstacle(node)
        if missing is None:
            waiting.pop(name, None)
        else:
            waiting[name] = missing
        changed = time.monotonic()
        if not waiting:
            return
    name, why = sorted(waiting.items())[0]
    raise NotReady(
        f"the nodes of {cluster} are ready",
        last=f"{len(names) - len(waiting)} of {len(names)}; {name}: {why}",
        within=time.monotonic() - began,
        unchanged_for=time.monotonic() - changed,
        remedy=f"lab logs {cluster}/kwok",
    )


def obstacle(node: Json) -> str | None:
    """Return why a node cannot take pods, or None."""
    conditions = {condition["type"]: condition["status"] for condition in node.get("status", {}).get("conditions", [])}
    if conditions.get("Ready") != "True":
        return f"Ready is {conditions.get('Ready', 'not reported')}"
    taints = [taint["key"] for taint in node.get("spec", {}).get("taints", [])]
    return f"tainted {', '.join(taints)}" if taints else None
