"""The end state of a trial, read object by object when no pod moves any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from deployers.karmada import Karmada
from lab.cluster import Cluster
from perf import applications
from perf.applications import NAMESPACE
from perf.shapes import Shape

Json = dict[str, Any]


def read_end_state(karmada: Karmada, shape: Shape, reachable: Sequence[Cluster]) -> dict[str, Json]:
    """Return for each application its pods on each reachable member, and where Karmada has placed it."""
    there = {applications.name_application(number): {"replicas": shape.replicas} for number in range(shape.applications)}
    found: dict[str, Json] = {name: {**entry, "pods": {}} for name, entry in there.items()}
    spaces = applications.list_namespaces(NAMESPACE, shape.namespaces)
    for member in reachable:
        for pod in list_items(member, [f"/api/v1/namespaces/{space}/pods" for space in spaces]):
            entry = found.setdefault(applications.parse_pod_application(pod["metadata"]["name"]), {"replicas": 0, "pods": {}})
            counts = entry["pods"].setdefault(member.name, {"ready": 0, "other": 0})
            conditions = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions") or []}
            well = conditions.get("Ready") == "True" and not pod["metadata"].get("deletionTimestamp")
            counts["ready" if well else "other"] += 1
    for binding in list_items(karmada.cluster, [f"/apis/work.karmada.io/v1alpha2/namespaces/{space}/resourcebindings" for space in spaces]):
        entry = found.setdefault(applications.parse_binding_application(binding["metadata"]["name"]), {"replicas": 0, "pods": {}})
        entry["placed"] = {each["name"]: each.get("replicas", 0) for each in binding["spec"].get("clusters") or []}
    return found


def list_items(cluster: Cluster, paths: Sequence[str]) -> Iterator[Json]:
    """Yield the items of large lists, requested page by page."""
    for path in paths:
        more: str | None = ""
        while more is not None:
            listed = cluster.api.get(path, limit="1000", **({"continue": more} if more else {}))
            yield from listed.get("items") or []
            more = listed["metadata"].get("continue") or None
