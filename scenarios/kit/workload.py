"""A Deployment on Karmada with the policy that places it, and queries of its replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubernetes.client import ApiException, AppsV1Api, CoreV1Api, CustomObjectsApi

from deployers.karmada import Karmada
from lab.images.applications import WEB
from scenarios.kit.waiting import watch

Json = dict[str, Any]
POLICY = ("policy.karmada.io", "v1alpha1")
WORK = ("work.karmada.io", "v1alpha2")


def duplicate_on(*members: str) -> Json:
    """Return the placement that puts all replicas on each of these members, or on every one."""
    return {**cluster_affinity(members), "replicaScheduling": {"replicaSchedulingType": "Duplicated"}}


def divide_among(weights: dict[str, int]) -> Json:
    """Return the placement that divides the replicas among members by fixed weights."""
    rules = [{"targetCluster": {"clusterNames": [member]}, "weight": weight} for member, weight in weights.items()]
    return {
        **cluster_affinity(weights),
        "replicaScheduling": {
            "replicaSchedulingType": "Divided",
            "replicaDivisionPreference": "Weighted",
            "weightPreference": {"staticWeightList": rules},
        },
    }


def cluster_affinity(members: Any) -> Json:
    return {"clusterAffinity": {"clusterNames": list(members)}} if members else {}


@dataclass(frozen=True)
class Workload:
    """One Deployment in a namespace of Karmada, placed by a PropagationPolicy of the same name."""

    karmada: Karmada
    namespace: str
    name: str

    def apps(self, member: str | None = None) -> AppsV1Api:
        """Return the API of Deployments: Karmada's, or a member's."""
        return AppsV1Api(self.karmada.lab.member(member).client() if member else self.karmada.client())

    def template(self) -> Any:
        """Return the Deployment on Karmada; its status is the sum over members. Any: the client types every field as optional."""
        return self.apps().read_namespaced_deployment(self.name, self.namespace)

    def on(self, member: str) -> Any:
        """Return the Deployment on a member; None if it does not exist there."""
        try:
            return self.apps(member).read_namespaced_deployment(self.name, self.namespace)
        except ApiException as error:
            if error.status != 404:
                raise
            return None

    def binding(self) -> Json:
        """Return the ResourceBinding: the scheduler's placement, and the status that members report."""
        found: Any = CustomObjectsApi(self.karmada.client()).get_namespaced_custom_object(
            *WORK, self.namespace, "resourcebindings", f"{self.name}-deployment"
        )
        return dict(found)

    def placed(self) -> dict[str, int]:
        """Return the replicas per member that the scheduler decided on."""
        return replicas_placed(self.binding())

    def reported(self) -> dict[str, int]:
        """Return the ready replicas per member, as last reported to Karmada."""
        return replicas_reported(self.binding())

    def until_ready(self, *, within: float = 90.0) -> dict[str, int]:
        """Watch until every scheduled member reports all its replicas ready. Return the ready replicas as read from the members."""
        wanted = self.template().spec.replicas

        def missing(binding: Json) -> str | None:
            clusters = {each["name"]: each.get("replicas", 0) for each in binding["spec"].get("clusters") or []}
            reported = {
                each["clusterName"]: each.get("status") or {} for each in (binding.get("status") or {}).get("aggregatedStatus") or []
            }
            ready = {name: status.get("readyReplicas", 0) for name, status in reported.items()}
            if binding["spec"].get("replicas") != wanted or not clusters:
                return f"not scheduled yet: {wanted} replicas, placed {clusters}"
            return None if ready == clusters else f"placed {clusters}, ready {ready}"

        watch(
            CustomObjectsApi(self.karmada.client()).list_namespaced_custom_object,
            *WORK,
            self.namespace,
            "resourcebindings",
            name=f"{self.name}-deployment",
            holds=missing,
            what=f"{self.namespace}/{self.name} is ready on its members",
            within=within,
        )
        return {member: self.ready_on(member) for member in self.placed()}

    def ready_on(self, member: str) -> int:
        """Return the ready replicas on a member, read from the member."""
        found = self.on(member)
        return (found.status.ready_replicas or 0) if found else 0

    def change(self, patch: Json) -> None:
        """Patch the Deployment on the control plane (strategic merge)."""
        self.apps().patch_namespaced_deployment(self.name, self.namespace, patch)

    def place(self, placement: Json) -> None:
        """Change the placement of its policy."""
        CustomObjectsApi(self.karmada.client()).patch_namespaced_custom_object(
            *POLICY, self.namespace, "propagationpolicies", self.name, {"spec": {"placement": placement}}
        )

    def delete(self) -> None:
        """Delete the Deployment on the control plane; its policy stays."""
        self.apps().delete_namespaced_deployment(self.name, self.namespace)


def replicas_placed(binding: Json) -> dict[str, int]:
    return {cluster["name"]: cluster.get("replicas", 0) for cluster in binding["spec"].get("clusters") or []}


def replicas_reported(binding: Json) -> dict[str, int]:
    heard = (binding.get("status") or {}).get("aggregatedStatus") or []
    return {each["clusterName"]: (each.get("status") or {}).get("readyReplicas", 0) for each in heard}


@dataclass(frozen=True)
class Workloads:
    """The fixture `workload`: a call creates a Deployment and its policy on Karmada."""

    karmada: Karmada
    namespace: str

    def __call__(
        self,
        name: str = "web",
        *,
        replicas: int = 2,
        placement: Json | None = None,
        image: str = WEB,
        policy: Json | None = None,
    ) -> Workload:
        """Create a PropagationPolicy and a Deployment, without waiting. `policy` is merged into the policy's spec."""
        selector = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        propagate(self.karmada, self.namespace, name, selector, placement or duplicate_on(), policy)
        AppsV1Api(self.karmada.client()).create_namespaced_deployment(self.namespace, make_deployment(name, replicas=replicas, image=image))
        return Workload(self.karmada, self.namespace, name)


def make_deployment(name: str, *, replicas: int, image: str) -> Any:
    """Return a minimal Deployment."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": name, "image": image, "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}]},
            },
        },
    }


def pod_uids(karmada: Karmada, namespace: str, labels: str = "") -> dict[str, list[str]]:
    """Return the uids of a namespace's pods per member. A recreated pod has another uid."""
    found: dict[str, list[str]] = {}
    for member in karmada.members:
        listed: Any = CoreV1Api(member.client()).list_namespaced_pod(namespace, label_selector=labels)
        found[member.name] = sorted(pod.metadata.uid for pod in listed.items)
    return found


def expose(web: Workload, *members: str, port: int, target: int) -> None:
    """Create a Service for a workload on Karmada, and the policy that places it on these members."""
    service: Any = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": web.name},
        "spec": {"selector": {"app": web.name}, "ports": [{"port": port, "targetPort": target}]},
    }
    CoreV1Api(web.karmada.client()).create_namespaced_service(web.namespace, service)
    propagate(
        web.karmada,
        web.namespace,
        f"{web.name}-service",
        {"apiVersion": "v1", "kind": "Service", "name": web.name},
        cluster_affinity(members),
    )


def propagate(karmada: Karmada, namespace: str, name: str, selector: Json, placement: Json, policy: Json | None = None) -> None:
    """Create a PropagationPolicy for one object."""
    CustomObjectsApi(karmada.client()).create_namespaced_custom_object(
        *POLICY,
        namespace,
        "propagationpolicies",
        {
            "apiVersion": "/".join(POLICY),
            "kind": "PropagationPolicy",
            "metadata": {"name": name},
            "spec": {"resourceSelectors": [selector], "placement": placement, **(policy or {})},
        },
    )
