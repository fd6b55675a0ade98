"""Karmada's pods on the host cluster: do they serve, why do they not, what do they run.

What upstream's installers wait for is not enough to know why nothing comes: `karmadactl init` warns and goes on, a chart's wait ends with
"context deadline exceeded". Here a pod that does not get ready is an error with its events and its last log lines, and one
that never can (its image is nowhere) is an error at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from deployers.names import NAMESPACE
from deployers.plane.layout import instances
from lab.api import Api, Refused
from lab.errors import LabError, NotReady, ProvisionError
from lab.wait import NotYet, until

Json = dict[str, Any]
KINDS = ("deployments", "statefulsets")
HOPELESS = frozenset({"ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName"})
"""Reasons why a container waits that no waiting mends: images are loaded before, so one is there from the start or never."""
PATIENCE = 4
"""Restarts after which a container that crashes is given up."""
OF_PROGRAM = {"kube-apiserver": "karmada-apiserver"}
"""Components that are called otherwise than their program."""


@dataclass(frozen=True)
class HostWorkload:
    """A Deployment or StatefulSet, as the API has it."""

    kind: str
    item: Json

    @property
    def name(self) -> str:
        return str(self.item["metadata"]["name"])

    @property
    def replicas(self) -> int:
        return int(self.item["spec"].get("replicas", 1))

    @property
    def identity(self) -> tuple[str, int]:
        """Its uid and generation: they change when it is recreated or its spec changes."""
        return (str(self.item["metadata"]["uid"]), int(self.item["metadata"]["generation"]))

    @property
    def selector(self) -> str:
        """Its pods, as a label selector."""
        return ",".join(f"{key}={value}" for key, value in sorted(self.item["spec"]["selector"]["matchLabels"].items()))

    @property
    def container(self) -> Json:
        """The container that is the component; sidecars come after it."""
        container: Json = self.item["spec"]["template"]["spec"]["containers"][0]
        return container

    @property
    def argv(self) -> list[str]:
        return [*self.container.get("command", []), *self.container.get("args", [])]

    @property
    def component(self) -> str:
        """The component it is, by upstream's name: found by its program, since installers name workloads differently."""
        program = PurePosixPath((self.argv or [self.name])[0]).name
        return OF_PROGRAM.get(program, program)

    def missing(self) -> str | None:
        """Return what is missing until all its replicas are of its newest template and available, or None."""
        status, wanted = self.item.get("status") or {}, self.replicas
        if status.get("observedGeneration", 0) < self.item["metadata"].get("generation", 0):
            return f"{self.name}: not looked at yet"
        updated, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
        if status.get("replicas", 0) > wanted:
            return f"{self.name}: old pods still running: {status['replicas'] - wanted}"
        if updated < wanted or ready < wanted:
            return f"{self.name}: {min(updated, ready)} of {wanted} ready"
        return None


def workloads(host: Api, namespace: str = NAMESPACE) -> list[HostWorkload]:
    """Return the Deployments and StatefulSets of a namespace, by name; none when it is not there."""
    found = [
        HostWorkload(kind, {"kind": kind, **item}) for kind in KINDS for item in host.items(f"/apis/apps/v1/namespaces/{namespace}/{kind}")
    ]
    return sorted(found, key=lambda each: each.name)


def wait_serving(host: Api, names: Iterable[str] = (), *, only: bool = False, within: float, namespace: str = NAMESPACE) -> None:
    """Return when the workloads of a namespace, those named among them (or they `only`), have all their pods ready.

    NotReady, or ProvisionError as soon as a pod can never get ready, carries the pod's state, events and last log lines.
    """
    wanted = set(names)

    def serving() -> None:
        there = [each for each in workloads(host, namespace) if not only or each.name in wanted]
        lacking = [f"{name}: not there yet" for name in sorted(wanted - {each.name for each in there})]
        waiting = [each for each in there if each.missing()]
        for each in waiting:
            give_up_on(host, each, namespace)
        lacking += [str(each.missing()) for each in waiting]
        if lacking:
            raise NotYet("; ".join(lacking))

    try:
        until(serving, what=f"Karmada's pods in {namespace} are ready", within=within, every=1.0)
    except NotReady as late:
        late.detail = "\n".join(why(host, namespace)) or None
        late.remedy = late.remedy or f"kubectl --context karmada-host -n {namespace} get pods,events"
        raise


def pods(host: Api, namespace: str = NAMESPACE, selector: str = "") -> list[Json]:
    """Return the pods of a namespace that have these labels and are not being deleted."""
    found = host.items(f"/api/v1/namespaces/{namespace}/pods", **({"labelSelector": selector} if selector else {}))
    return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]


def give_up(host: Api, namespace: str = NAMESPACE) -> None:
    """Raise ProvisionError when a pod of any workload of a namespace cannot get ready any more."""
    for each in workloads(host, namespace):
        if each.missing():
            give_up_on(host, each, namespace)


def give_up_on(host: Api, workload: HostWorkload, namespace: str) -> None:
    """Raise ProvisionError when a pod of a workload cannot get ready any more."""
    for pod in pods(host, namespace, workload.selector):
        for state in states(pod):
            waiting = (state.get("state") or {}).get("waiting") or {}
            crashed = state.get("restartCount", 0) >= PATIENCE and waiting.get("reason") == "CrashLoopBackOff"
            if waiting.get("reason") in HOPELESS or crashed:
                what = f"crashed {state['restartCount']} times" if crashed else f"cannot start: {waiting['reason']}"
                raise ProvisionError(
                    f"{state['name']} {what}",
                    where=f"pod {namespace}/{pod['metadata']['name']}, image {state.get('image', '')}",
                    detail="\n".join(story(host, pod)),
                    remedy="check that its image is loaded into the host cluster" if not crashed else "see the end of its log above",
                )


def states(pod: Json) -> list[Json]:
    """Return the states of a pod's containers, those that run before the others first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def why(host: Api, namespace: str = NAMESPACE) -> list[str]:
    """Return a description of each pod that is not ready: state, events, last log lines. Never raises, since it explains another error."""
    try:
        late = [pod for pod in pods(host, namespace) if not is_ready(pod)]
        return [line for pod in late for line in story(host, pod)]
    except LabError as error:
        return [f"the host cluster does not answer: {error.what}"]


def is_ready(pod: Json) -> bool:
    """Tell whether a pod is ready, or has succeeded, as the pod of a job does."""
    status = pod.get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or []}
    return status.get("phase") == "Succeeded" or conditions.get("Ready") == "True"


def story(host: Api, pod: Json, *, lines: int = 10) -> list[str]:
    """Describe one pod: its containers' states, its last events, and the last log lines of containers that are not ready."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    found = [f"pod {name}: {(pod.get('status') or {}).get('phase', 'unknown')}"]
    conditions = (pod.get("status") or {}).get("conditions") or []
    found += [f"  {each['type']} is {each['status']}: {each['message']}" for each in conditions if each.get("message")]
    for state in states(pod):
        for phase, info in (state.get("state") or {}).items():
            found.append(f"  {state['name']}: {phase} {info.get('reason', '')} {info.get('message', '')}".rstrip())
    found += [f"  event: {event.get('reason', '')}: {event.get('message', '')}" for event in events(host, namespace, name)[-5:]]
    for state in states(pod):
        if not state.get("ready"):
            found += [f"  log of {state['name']}: {line}" for line in log(host, pod, state, lines=lines)]
    return found


def events(host: Api, namespace: str, pod: str) -> list[Json]:
    """Return a pod's events, oldest first; none when they cannot be read."""
    try:
        found = host.items(f"/api/v1/namespaces/{namespace}/events", fieldSelector=f"involvedObject.name={pod}")
    except LabError:
        return []
    return sorted(found, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")


def log(host: Api, pod: Json, state: Json, *, lines: int = 10) -> list[str]:
    """Return the last log lines of a container, of its previous instance while it waits for a restart; empty without a log."""
    path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/log"
    between = bool(state.get("restartCount")) and "running" not in (state.get("state") or {})
    try:
        text = host.request("GET", path, container=state["name"], tailLines=str(lines), previous="true" if between else "false").text
    except (Refused, LabError):
        return []
    return text.splitlines()[-lines:]


def programs(host: Api, namespace: str = NAMESPACE) -> dict[str, Sequence[str]]:
    """Return the arguments of every program of a control plane in pods, under the names that the programs have as processes.

    Each further replica is a program of its own ("karmada/karmada-scheduler-2"); an estimator has its member's name.
    """
    found: dict[str, Sequence[str]] = {}
    for workload in workloads(host, namespace):
        kind = workload.component
        stem = workload.name if kind == "karmada-scheduler-estimator" else kind
        for name in instances(stem, workload.replicas):
            found[f"karmada/{name}"] = workload.argv
    return found


def make_room(host: Api, namespace: str = NAMESPACE) -> list[str]:
    """Scale down old ReplicaSets that block the rollout, and return their names.

    Some of upstream's Deployments require one pod a node (anti-affinity) and start the new pod before the old one ends: on a host cluster
    of one node such a rollout never completes (kube-controller-manager of the operator, 1.18.2). Deleting the old pod would not help: its
    ReplicaSet creates another one, which is scheduled first. A Deployment never scales an old ReplicaSet up again.
    """
    gone: list[str] = []
    for each in workloads(host, namespace):
        there = pods(host, namespace, each.selector) if each.missing() else []
        waiting = {owner(pod) for pod in there if unschedulable(pod)}
        if len(waiting) == 1:
            gone += sorted({name for pod in there if (name := owner(pod)) and name not in waiting})
    for name in gone:
        host.patch(f"/apis/apps/v1/namespaces/{namespace}/replicasets/{name}", {"spec": {"replicas": 0}})
    return gone


def owner(pod: Json) -> str | None:
    """Return the name of the ReplicaSet that made a pod, None when none did."""
    return next((each["name"] for each in pod["metadata"].get("ownerReferences") or [] if each["kind"] == "ReplicaSet"), None)


def unschedulable(pod: Json) -> bool:
    """Tell whether the scheduler finds no node for a pod."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "PodScheduled" and each["status"] == "False" for each in conditions)


def recreate_restarted_pods(host: Api, *, within: float, namespace: str = NAMESPACE) -> list[str]:
    """Recreate pods that have restarted containers, and return their names once all pods of the namespace are ready.

    A container that exited while an API server was down restarts with an ever longer back-off, and later checks could not tell such
    restarts from others.
    """
    restarted = sorted({name.partition("/")[0] for name, count in restarts(host, namespace).items() if count})
    for name in restarted:
        host.delete(f"/api/v1/namespaces/{namespace}/pods/{name}")
    wait_serving(host, within=within, namespace=namespace)
    return restarted


def images(host: Api, namespace: str = NAMESPACE) -> dict[str, str]:
    """Return the image of each component."""
    return {workload.component: workload.container["image"] for workload in workloads(host, namespace)}


def restarts(host: Api, namespace: str = NAMESPACE) -> Mapping[str, int]:
    """Return how often each container of the namespace's pods was restarted, by pod/container."""
    return {
        f"{pod['metadata']['name']}/{state['name']}": int(state.get("restartCount", 0))
        for pod in pods(host, namespace)
        for state in states(pod)
    }
