"""Causes in Karmada's own objects: members not Ready, policies of unknown members, bindings not scheduled, works not applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lab.diagnosis.cause import Cause, Rank
from lab.diagnosis.workloads import MOST, find_condition, full_name, is_deleted, shorten
from lab.status.client import Client

Json = dict[str, Any]
WORK = "/apis/work.karmada.io"
CLUSTERS = "/apis/cluster.karmada.io/v1alpha1/clusters"
OF_NAMESPACE = "resourcebinding.karmada.io/namespace"
"""The annotation of a Work with the namespace of its ResourceBinding (Karmada 1.18: pkg/apis/work/v1alpha2/well_known_constants.go)."""


def find_propagation_causes(api: Client, namespace: str = "") -> Iterator[Cause]:
    """Yield what keeps Karmada from propagating; bindings, works and policies of one namespace if it is named."""
    where = f"namespaces/{namespace}/" if namespace else ""
    members = {item["metadata"]["name"] for item in api.get(CLUSTERS).get("items") or []}
    policies = api.get(f"/apis/policy.karmada.io/v1alpha1/{where}propagationpolicies?limit={MOST}").get("items") or []
    yield from explain_policies(policies, members)
    works = api.get(f"{WORK}/v1alpha1/works?limit={MOST}").get("items") or []
    yield from explain_works([item for item in works if namespace in {"", annotation(item, OF_NAMESPACE)}])
    yield from explain_bindings(api.get(f"{WORK}/v1alpha2/{where}resourcebindings?limit={MOST}").get("items") or [])


def explain_policies(policies: Iterable[Json], members: set[str]) -> Iterator[Cause]:
    """Yield a cause for each policy that names clusters which are not members, and no cluster that is."""
    for item in policies:
        placement = item.get("spec", {}).get("placement") or {}
        affinities = placement.get("clusterAffinities") or [placement.get("clusterAffinity") or {}]
        for affinity in affinities:
            named = affinity.get("clusterNames") or []
            if named and not members.intersection(named) and not is_deleted(item):
                known = f"the members are {', '.join(sorted(members))}" if members else "there is no member"
                text = f"PropagationPolicy {full_name(item)} names {', '.join(named)}, and {known}"
                yield Cause(Rank.KARMADA, text, blocking=True)


def explain_works(works: Iterable[Json]) -> Iterator[Cause]:
    """Yield a cause for each Work that Karmada could not apply on its member: RBAC, admission, a kind that is not there."""
    for item in works:
        applied = find_condition(item, "Applied")
        if applied.get("status") == "False" and not is_deleted(item):
            member = str(item["metadata"].get("namespace", "")).removeprefix("karmada-es-")
            message = shorten(applied.get("message") or applied.get("reason"))
            yield Cause(Rank.KARMADA, f"Karmada cannot apply {describe_work(item)} on {member}: {message}", blocking=True)


def describe_work(item: Json) -> str:
    """Return kind and name of the first object in a Work."""
    manifests = item.get("spec", {}).get("workload", {}).get("manifests") or [{}]
    first = manifests[0]
    if "kind" not in first:
        return f"Work {full_name(item)}"
    return f"{first['kind']} {full_name(first)}"


def explain_bindings(bindings: Iterable[Json]) -> Iterator[Cause]:
    """Yield a cause for each binding that Karmada's scheduler could not place."""
    for item in bindings:
        scheduled = find_condition(item, "Scheduled")
        if scheduled.get("status") == "False" and not is_deleted(item):
            resource = item.get("spec", {}).get("resource", {})
            name = f"{resource.get('kind', 'ResourceBinding')} {resource.get('namespace', '')}/{resource.get('name', '')}"
            message = shorten(scheduled.get("message") or scheduled.get("reason"))
            yield Cause(Rank.KARMADA, f"Karmada cannot schedule {name}: {message}", blocking=True)


def annotation(item: Json, key: str) -> str:
    """Return the value of an object's annotation; "" without it."""
    return str((item["metadata"].get("annotations") or {}).get(key, ""))
