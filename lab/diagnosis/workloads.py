"""Causes in what a cluster runs: pods that no node takes, pods that a quota or an admission refuses, images that cannot be pulled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lab.diagnosis.cause import Cause, Rank
from lab.status.client import Client

Json = dict[str, Any]
MOST = 300
"""Objects of a kind that are read: what stops one pod of a workload stops the others, too."""
WAITING = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CrashLoopBackOff", "CreateContainerConfigError"}
"""Reasons of a waiting container that do not pass by themselves (kubelet: images/types.go, container/sync_result.go)."""


def find_workload_causes(api: Client, cluster: str, namespace: str = "") -> Iterator[Cause]:
    """Yield a cause for each ReplicaSet that cannot create its pods and each pod that cannot start; of one namespace if it is named."""
    where = f"namespaces/{namespace}/" if namespace else ""
    sets = api.get(f"/apis/apps/v1/{where}replicasets?limit={MOST}").get("items") or []
    pods = api.get(f"/api/v1/{where}pods?fieldSelector=status.phase=Pending&limit={MOST}").get("items") or []
    yield from explain_sets(sets, cluster)
    yield from explain_pods(pods, cluster)


def explain_sets(sets: Iterable[Json], cluster: str) -> Iterator[Cause]:
    """Yield a cause for each ReplicaSet with condition ReplicaFailure: a quota, an admission plugin or RBAC refuses its pods."""
    for item in sets:
        failure = find_condition(item, "ReplicaFailure")
        if failure.get("status") == "True" and not is_deleted(item):
            message = shorten(failure.get("message") or failure.get("reason"))
            yield Cause(Rank.WORKLOAD, f"{cluster} refuses pods of ReplicaSet {full_name(item)}: {message}", blocking=True)


def explain_pods(pods: Iterable[Json], cluster: str) -> Iterator[Cause]:
    """Yield a cause for each pending pod that no node takes, and each of which a container cannot start."""
    for item in pods:
        if is_deleted(item):
            continue
        placed = find_condition(item, "PodScheduled")
        if placed.get("status") == "False":
            message = shorten(placed.get("message") or placed.get("reason"))
            yield Cause(Rank.WORKLOAD, f"{cluster} has no node for pod {full_name(item)}: {message}", blocking=True)
        for container in item.get("status", {}).get("containerStatuses") or []:
            waiting = container.get("state", {}).get("waiting") or {}
            if waiting.get("reason") in WAITING:
                why = shorten(f"{waiting['reason']}: {waiting.get('message') or container.get('image')}")
                yield Cause(Rank.WORKLOAD, f"pod {full_name(item)} on {cluster} cannot start: {why}", blocking=True)


def find_condition(item: Json, kind: str) -> Json:
    """Return the condition of that type in an object's status; {} when it has none."""
    conditions = item.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each.get("type") == kind), {})


def is_deleted(item: Json) -> bool:
    """Return whether an object is being deleted."""
    return "deletionTimestamp" in item["metadata"]


def full_name(item: Json) -> str:
    """Return namespace and name of an object."""
    metadata = item["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def shorten(message: object, longest: int = 300) -> str:
    """Return a message in one line of at most `longest` characters."""
    text = " ".join(str(message or "no reason given").split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
