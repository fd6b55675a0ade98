"""The checks of `conformance` that need members: they are reached, and what Karmada is given runs there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from deployers.checks.control_plane import CheckFailed, CheckInconclusive, policy, unique_name
from deployers.deployer import runs_in_pods
from deployers.karmada import Karmada
from deployers.members.registry import CLUSTERS, not_ready
from deployers.names import NAMESPACE
from deployers.plane.layout import estimator
from deployers.plane.objects import map_concurrently
from deployers.pods import workloads
from lab.api import Refused
from lab.cluster import Cluster
from lab.wait import NotYet, until

Json = dict[str, Any]


def check_members_ready(karmada: Karmada) -> str:
    """Every member that was asked for is registered and Ready."""
    there = {item["metadata"]["name"]: item for item in karmada.api.items(CLUSTERS)}
    for member in karmada.spec.members:
        if member.name not in there:
            raise CheckFailed(f"{member.name} is not registered")
        if why := not_ready(there[member.name]):
            raise CheckFailed(f"{member.name}: {why}")
    return ", ".join(member.name for member in karmada.spec.members)


def check_proxy(karmada: Karmada, *, within: float = 20.0) -> str:
    """What comes back through the proxy of a member is that member: its kube-system has the UID that it has when asked directly.

    Karmada gives itself the right to act as its users on a member some moments after that member is Ready.
    """
    modes = {member.name: member.mode for member in karmada.spec.members}
    path = "/api/v1/namespaces/kube-system"

    def reaches(member: Cluster) -> str:
        direct = member.api.get(path)["metadata"]["uid"]

        def through() -> str:
            try:
                return str(karmada.api.get(f"{CLUSTERS}/{member.name}/proxy{path}")["metadata"]["uid"])
            except Refused as refused:
                raise NotYet(refused.message) from refused

        if (uid := until(through, what=f"the proxy of {member.name} answers", within=within)) != direct:
            raise CheckFailed(f"the proxy of {member.name} leads to another cluster ({uid}, not {direct})")
        return member.name

    reached = map_concurrently(reaches, [member for member in karmada.members if modes[member.name] == "push"])
    return f"{', '.join(reached)}" if reached else "no push member: a pull member cannot be reached through the control plane"


def check_propagation(karmada: Karmada, *, within: float = 30.0) -> str:
    """A Deployment with a policy arrives on every member, becomes available there, and its template's status says so."""
    names = [member.name for member in karmada.members]
    propagate(karmada, {"clusterAffinity": {"clusterNames": names}}, on=karmada.members, replicas=1, available=len(names), within=within)
    return f"1 replica on each of {', '.join(names)}; {len(names)} available in Karmada"


def check_estimators(karmada: Karmada, *, within: float = 30.0) -> str:
    """Replicas that are divided by what is free make the scheduler ask the estimator of every member.

    That a Deployment runs proves nothing of them: a scheduler that does not reach an estimator estimates by itself and says nothing.
    So it is the estimators that are asked, by their own count of requests.
    """
    names = [member.name for member in karmada.members]
    before = {name: read_request_count(karmada, name) for name in names}
    divided = {
        "replicaSchedulingType": "Divided",
        "replicaDivisionPreference": "Weighted",
        "weightPreference": {"dynamicWeight": "AvailableReplicas"},
    }
    placement = {"clusterAffinity": {"clusterNames": names}, "replicaScheduling": divided}
    propagate(karmada, placement, on=(), replicas=len(names), available=len(names), within=within)
    if unasked := [name for name in names if read_request_count(karmada, name) <= before[name]]:
        raise CheckFailed(f"replicas were divided, but the estimators of {', '.join(unasked)} were not called")
    return f"{len(names)} of {len(names)}"


def read_request_count(karmada: Karmada, member: str) -> float:
    """Return how many requests the estimator of a member has answered."""
    return count_requests(read_pod_metrics(karmada, member) if runs_in_pods(karmada) else read_program_metrics(karmada, member))


def read_pod_metrics(karmada: Karmada, member: str) -> str:
    """Return the metrics of the pods of a member's estimator, which the host cluster's API server leads to."""
    host = karmada.lab.host.api
    found = [each for each in workloads.workloads(host) if each.name == estimator(member)]
    if not found:
        raise CheckFailed(f"{member} has no estimator")
    names = [pod["metadata"]["name"] for pod in workloads.pods(host, selector=found[0].selector)]
    return "\n".join(host.request("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}:8080/proxy/metrics").text for name in names)


def read_program_metrics(karmada: Karmada, member: str) -> str:
    """Return the metrics of a member's estimator that is a program of this lab's machine."""
    port = (karmada.run.recorded("ports", "karmada") or {}).get(f"{estimator(member)}.metrics")
    if port is None:
        raise CheckInconclusive(f"where the estimator of {member} serves its metrics is not known")
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=5.0).text
    except httpx.HTTPError as error:
        raise CheckFailed(f"the estimator of {member} does not answer: {error}") from error


def count_requests(text: str) -> float:
    """Return the sum of the requests in an estimator's metrics."""
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("karmada_scheduler_estimator_estimating_request_total")
    )


def propagate(karmada: Karmada, placement: Json, *, on: Sequence[Cluster], replicas: int, available: int, within: float) -> None:
    """Return when a Deployment placed like this is on these members and Karmada says that so many replicas are available.

    Creates everything in its own namespace, which it always deletes.
    """
    api, name = karmada.api, unique_name()
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        api.create(policy("promise", name, placement))
        api.create(deployment("promise", name, replicas))
        path = f"/apis/apps/v1/namespaces/{name}/deployments/promise"

        def there(member: Cluster) -> None:
            def arrived() -> None:
                if member.api.find(path) is None:
                    raise NotYet("not there yet")

            until(arrived, what=f"the Deployment is on {member.name}", within=within)

        map_concurrently(there, on)
        api.until(path, lambda item: status_problem(item, available), what="the status of the Deployment comes back", within=within)
    finally:
        api.delete(f"/api/v1/namespaces/{name}")


def status_problem(item: Json, wanted: int) -> str | None:
    """Return why a Deployment's collected status does not have so many available replicas, or None."""
    available = (item.get("status") or {}).get("availableReplicas", 0)
    return None if available == wanted else f"{available} of {wanted} replicas are available"


def deployment(name: str, namespace: str, replicas: int) -> Json:
    """Return a Deployment with small resource requests."""
    labels = {"app": name}
    container = {"name": "pause", "image": "registry.k8s.io/pause:3.10.1", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
