"""Hollow nodes: kwok keeps the node objects Ready and moves their pods through their phases. No container runs.

Stages are kwok's own (its module, kustomize/stage), read from the pinned release and never copied here, and one of ours (stages/).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.api import Api, Refused
from lab.component import Component, Health
from lab.errors import NotReady
from lab.run import Run
from lab.spec import Nodes
from lab.supervisor.client import Supervisor
from lab.yaml_text import dump_yaml

Json = dict[str, Any]

STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)
"""What kwokctl gives a cluster by default: nodes and pods get ready at once, jobs complete, deletions finish."""

OWN_STAGES = (Path(__file__).parent / "stages" / "pod-image-cannot-be-pulled.yaml",)
"""And what a kubelet does besides: images named fake/… cannot be pulled, which is how upstream's tests make an application unhealthy."""

RENEWALS = 20
"""Lease renewals a second that a cluster may spend on its hollow nodes. At a kubelet's 40 s lease, 2,000 nodes renew 200 times a
second, which takes a core of the API server by itself and says nothing: a hollow node does not fail on its own.
"""


def lease_seconds(nodes: int) -> int:
    """Return the duration of node leases: a kubelet's 40 s, longer where there are more than 200 nodes. kwok renews at a quarter of it."""
    return max(40, math.ceil(4 * nodes / RENEWALS))


def grace_seconds(nodes: int) -> int:
    """Return the controller-manager's --node-monitor-grace-period: longer than the lease, or nodes turn NotReady under load."""
    return lease_seconds(nodes) + 10


def kwok_configuration(stages: Path, *, extra: Sequence[Path] = ()) -> str:
    """Return kwok's configuration file: its stages, and as many workers as keep 2,000 nodes on time."""
    options = {
        "kind": "KwokConfiguration",
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "options": {"nodePlayStageParallelism": 16, "nodeLeaseParallelism": 16, "podPlayStageParallelism": 16},
    }
    files = [*(stages / stage for stage in STAGES), *OWN_STAGES, *extra]
    documents = [dump_yaml(options), *(path.read_text() for path in files)]
    return "---\n".join(documents)


HOLLOW = "kwok.x-k8s.io/node"
"""The annotation of every hollow node, its value fake. Beside real nodes it is their taint, too: only pods that tolerate it go there."""


PODS = "10.128.0.0/9"
"""Addresses of hollow pods on nodes that have no range of their own. Without them they all have the node's, which is this computer's
loopback: no Service may have such an endpoint, so none had any.
"""


Endpoint = tuple[str, int]
"""Where a program serves: an address and a port."""


@dataclass(frozen=True)
class KwokFiles:
    """The files that kwok reads: its program, its configuration, and the kubeconfig of its cluster."""

    binary: Path
    config: Path
    kubeconfig: Path


def kwok_component(cluster: str, files: KwokFiles, *, at: Endpoint, nodes: int, needs: tuple[str, ...], alone: bool = True) -> Component:
    """Return the kwok controller of one cluster; it manages every node there, or, not `alone`, those that are hollow.

    `at` is where it serves, as the kubelet of all of them.
    """
    address, port = at
    nodes_of_it = {"manage-all-nodes": "true"} if alone else {"manage-nodes-with-annotation-selector": f"{HOLLOW}=fake"}
    return Component(
        name=f"{cluster}/kwok",
        binary=files.binary,
        flags={
            "config": str(files.config),
            "kubeconfig": str(files.kubeconfig),
            "cidr": PODS,
            **nodes_of_it,
            "node-lease-duration-seconds": str(lease_seconds(nodes)),
            "server-address": f"{address}:{port}",
            "node-ip": address,
            "node-port": str(port),
            "v": "WARN",  # it logs every renewal otherwise
        },
        needs=needs,
        ready=(Health(f"http://{address}:{port}/healthz"),),
        ports={"http": port},
    )


CONDITIONS = {
    "Ready": ("True", "KubeletReady"),
    "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID"),
    "NetworkUnavailable": ("False", "RouteCreated"),
}
"""What a healthy kubelet reports (kubernetes pkg/kubelet/nodestatus/setters.go)."""


def node_manifests(cluster: str, groups: Sequence[Nodes], *, at: Endpoint, alone: bool = True) -> Iterator[Json]:
    """Yield the Node objects of a cluster: `<cluster>-node-<n>`, counted through all groups, or as the spec names them.

    `at` is where their kubelet, kwok, serves. Not `alone`, they are tainted.

    A node registers itself with its status, as a kubelet does, instead of being made empty and then initialised by kwok's
    first stage: that is one write less of the two that a node costs here.
    """
    number = 0
    now = format_timestamp()
    conditions = [
        {"type": kind, "status": status, "reason": reason, "message": "hollow node", "lastHeartbeatTime": now, "lastTransitionTime": now}
        for kind, (status, reason) in CONDITIONS.items()
    ]
    for group in groups:
        capacity = {"cpu": group.cpu, "memory": group.memory, "pods": str(group.pods), "ephemeral-storage": "100Gi"}
        for _ in range(group.count):
            name = group.name or f"{cluster}-node-{number}"
            number += 1
            yield {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "annotations": {HOLLOW: "fake"},
                    "labels": {
                        "kubernetes.io/arch": "amd64",
                        "kubernetes.io/os": "linux",
                        "beta.kubernetes.io/arch": "amd64",  # else the node controller patches every node to add these two
                        "beta.kubernetes.io/os": "linux",
                        "kubernetes.io/hostname": name,
                        "node.kubernetes.io/instance-type": "hollow",
                        **group.all_labels,
                    },
                },
                **({} if alone else {"spec": {"taints": [{"key": HOLLOW, "value": "fake", "effect": "NoSchedule"}]}}),
                "status": {
                    "allocatable": capacity,
                    "capacity": capacity,
                    "conditions": conditions,
                    "addresses": [{"type": "InternalIP", "address": at[0]}, {"type": "Hostname", "address": name}],
                    "daemonEndpoints": {"kubeletEndpoint": {"Port": at[1]}},
                    "nodeInfo": {
                        "architecture": "amd64",
                        "operatingSystem": "linux",
                        "osImage": "hollow",
                        "bootID": "",
                        "machineID": "",
                        "systemUUID": "",
                        "kernelVersion": "kwok",
                        "containerRuntimeVersion": "kwok",
                        "kubeProxyVersion": "kwok",
                        "kubeletVersion": "kwok",
                    },
                    "phase": "Running",  # what kwok's heartbeat stage selects
                },
            }


def ensure_nodes(api: Api, cluster: str, groups: Sequence[Nodes], *, at: Endpoint, within: float = 180.0, alone: bool = True) -> None:
    """Create the nodes that are not there, and return when all are Ready, schedulable, and kept alive by kwok, which holds their leases.

    Nodes of the cluster that the spec does not name are left alone.
    """
    wanted = {manifest["metadata"]["name"]: manifest for manifest in node_manifests(cluster, groups, at=at, alone=alone)}
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
    names = set(wanted)
    wait_each(api, "/api/v1/nodes", names, unready_reason, what=f"the nodes of {cluster} are Ready", within=within)
    wait_managed(api, cluster, names, within=within)


def wait_managed(api: Api, cluster: str, nodes: set[str], *, within: float) -> None:
    """Return when kwok holds the leases of these nodes and has looked at each of their pods that waits for it.

    kwok looks at a node's pods once when it takes the lease, and passes them over for good when its own cache of leases does not show
    that yet (0.8.0, NodeLeaseController.sync and PodController.readOnly): they would stay Pending or Terminating for ever. Any change of
    a pod has kwok look again, so those that stand still are given an annotation.
    """
    wait_each(api, LEASES, nodes, missing_holder, what=f"kwok holds the leases of {cluster}'s nodes", within=within)
    for pod in api.items("/api/v1/pods"):
        if pod["spec"].get("nodeName") in nodes and waits_for_kubelet(pod):
            try:
                api.patch(
                    api.path_of({"apiVersion": "v1", "kind": "Pod", **pod}), {"metadata": {"annotations": {LOOKED: format_timestamp()}}}
                )
            except Refused as refused:  # gone meanwhile: kwok had seen it
                if refused.status != 404:
                    raise


LOOKED = "lab.karmada.io/kwok-began"
"""When kwok was made to look at a pod."""


def waits_for_kubelet(pod: Json) -> bool:
    """Return whether a pod waits for its kubelet to start or end it."""
    return bool(pod["metadata"].get("deletionTimestamp")) or pod.get("status", {}).get("phase") == "Pending"


def format_timestamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def drop_stale_leases(api: Api, run: Run, cluster: str) -> None:
    """Delete the node leases of a cluster when its kwok does not run, as in a kept lab.

    A new kwok waits for the old one's to expire, 40 s and more, and until then moves no pod of their nodes.
    """
    status = Supervisor(run.path).status()
    known = status.programs.get(f"{cluster}/kwok") if status else None
    if known is None or not known.runs:
        api.delete(LEASES)


LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


def wait_each(api: Api, path: str, names: set[str], missing: Callable[[Json], str | None], *, what: str, within: float) -> None:
    """Watch a collection until `missing` returns None for each of these names. NotReady names one that is not, and why."""
    waiting = dict.fromkeys(names, "not there yet")
    began = changed = time.monotonic()
    for kind, item in api.watch(path, within=within):
        name = item["metadata"]["name"]
        if name not in names:
            continue
        why = "deleted" if kind == "DELETED" else missing(item)
        if why is None:
            waiting.pop(name, None)
        else:
            waiting[name] = why
        changed = time.monotonic()
        if not waiting:
            return
    name, why = min(waiting.items())
    raise NotReady(
        what,
        last=f"{len(names) - len(waiting)} of {len(names)}; {name}: {why}",
        within=time.monotonic() - began,
        unchanged_for=time.monotonic() - changed,
        remedy="the last lines of kwok and of the node controller say more",
    )


def unready_reason(node: Json) -> str | None:
    """Return why a node cannot take pods, or None."""
    conditions = {condition["type"]: condition["status"] for condition in node.get("status", {}).get("conditions", [])}
    if conditions.get("Ready") != "True":
        return f"Ready is {conditions.get('Ready', 'not reported')}"
    taints = [taint["key"] for taint in node.get("spec", {}).get("taints", []) if taint["key"] != HOLLOW]
    return f"tainted {', '.join(taints)}" if taints else None


def missing_holder(lease: Json) -> str | None:
    """Return that a lease has no holder, or None when it has one."""
    return None if lease.get("spec", {}).get("holderIdentity") else "its lease has no holder"
