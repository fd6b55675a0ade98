"""The applications that a trial moves: Deployments, and in each of their namespaces one policy that prefers the first member.

The policy has two cluster affinities in order: the member that is lost, then the survivor. So all pods run on the first until it is
tainted, and every binding has exactly one place to go to. With several namespaces, the applications are spread over them round-robin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lab.api import Api, Refused, Unreachable
from lab.wait import CANCELLED, Cancelled, NotYet, until
from perf.shapes import CPU_MILLIS, LOST, MEMORY_MIB, SURVIVOR

Json = dict[str, Any]
NAMESPACE, LIMIT = "perf", "perf-limit"
TAINT = "perf.karmada-lab.io/lost"
MOVED_NAMESPACE = re.compile(rf"{NAMESPACE}(-\d+)?")
DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"


def name_application(number: int) -> str:
    """Return the name of an application."""
    return f"app-{number:05d}"


def list_namespaces(prefix: str, count: int) -> list[str]:
    """Return the names of `count` namespaces; a single one is named by the prefix alone."""
    return [prefix] if count == 1 else [f"{prefix}-{number}" for number in range(count)]


def is_moved_namespace(namespace: str | None) -> bool:
    """Return whether the applications that move are in this namespace."""
    return MOVED_NAMESPACE.fullmatch(namespace or "") is not None


def parse_pod_application(pod: str) -> str:
    """Return the application of a pod, parsed from its name."""
    return pod.rpartition("/")[2].rsplit("-", 2)[0]


def parse_binding_application(binding: str) -> str:
    """Return the application of a binding, parsed from its name."""
    return binding.rpartition("/")[2].removesuffix("-deployment")


def build_deployment(number: int, namespace: str, replicas: int) -> Json:
    """Return one Deployment. Its pods request little and have no tolerations."""
    labels = {"app": name_application(number)}
    requests = {"cpu": f"{CPU_MILLIS}m", "memory": f"{MEMORY_MIB}Mi"}
    container = {"name": "app", "image": "registry.example/app:1", "resources": {"requests": requests}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name_application(number), "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0},
            },
        },
    }


def build_policy(namespace: str) -> Json:
    """Return the policy that places every Deployment of a namespace on the first member, or else on the survivor."""
    return {
        "apiVersion": "policy.karmada.io/v1alpha1",
        "kind": "PropagationPolicy",
        "metadata": {"name": "prefer-first", "namespace": namespace},
        "spec": {
            "resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment"}],
            "placement": {
                "clusterAffinities": [
                    {"affinityName": "first", "clusterNames": [LOST]},
                    {"affinityName": "second", "clusterNames": [SURVIVOR]},
                ],
                "replicaScheduling": {"replicaSchedulingType": "Divided", "replicaDivisionPreference": "Weighted"},
            },
        },
    }


def build_taint_policy() -> Json:
    """Return the ClusterTaintPolicy. Without it no NoExecute taint is ever set: it is the fifth of five switches of failover."""
    states = {"conditionType": "Ready", "operator": "In"}
    return {
        "apiVersion": "policy.karmada.io/v1alpha1",
        "kind": "ClusterTaintPolicy",
        "metadata": {"name": "evict-when-not-ready"},
        "spec": {
            "targetClusters": {"clusterNames": [LOST]},
            "addOnConditions": [{**states, "statusValues": ["False", "Unknown"]}],
            "removeOnConditions": [{**states, "statusValues": ["True"]}],
            "taints": [{"key": TAINT, "effect": "NoExecute"}],
        },
    }


def ensure(api: Api, manifest: Json) -> None:
    """Create an object; leave an existing one as it is."""
    if CANCELLED.is_set():
        raise Cancelled
    try:
        api.create(manifest)
    except Refused as refused:
        if refused.status != 409:
            raise


def create_namespace(api: Api, called: str) -> None:
    """Create a namespace."""
    ensure(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": called}})


def create_deployments(api: Api, called: Sequence[str], *, applications: int, replicas: int) -> None:
    """Create the Deployments round-robin in these namespaces, eight at a time; return when the API server has accepted all."""
    run_for_each(lambda number: ensure(api, build_deployment(number, called[number % len(called)], replicas)), range(applications))


def run_for_each(task: Callable[[int], None], numbers: Iterable[int]) -> None:
    """Run a task for each number, eight at a time. The first exception is raised once the running tasks have ended."""
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="applications") as pool:
        futures = [pool.submit(task, number) for number in numbers]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def delete_workloads(api: Api, called: Sequence[str], *, within: float) -> None:
    """Delete all Deployments, ReplicaSets and pods of these namespaces; return when none is left.

    Owners go first, so that no controller creates new pods; then all pods in one request without grace period, which is faster than a
    controller deletes them.
    """

    def gone() -> None:
        left = 0
        try:
            for space in called:
                api.delete(DEPLOYMENTS.format(space), propagationPolicy="Background")
                api.delete(f"/apis/apps/v1/namespaces/{space}/replicasets", propagationPolicy="Background")
            for space in called:
                pods = f"/api/v1/namespaces/{space}/pods"
                api.delete(pods, gracePeriodSeconds="0")
                left += len(api.items(pods, limit="500"))
        except Unreachable as error:  # thousands take longer than one request may
            raise NotYet(str(error)) from error
        if left:
            raise NotYet(f"{left} pods and more")

    until(gone, what=f"the pods of {', '.join(called)} are deleted", within=within)
