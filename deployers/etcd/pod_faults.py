"""Why a member of an etcd in pods does not answer, as far as its pod, its log and its node show it, and what is possible then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployers.names import NAMESPACE
from deployers.pods import workloads
from lab.api import Api
from lab.errors import LabError

Json = dict[str, Any]
OF_LOG: Mapping[str, str] = {
    "couldn't find local name": "it has no data: its volume was lost, or is an empty one",
    "no space left on device": "its volume is full",
    "database space exceeded": "its data has reached etcd's quota",
    "crc mismatch": "its data is damaged",
}
"""What etcd's last lines say, and what it means."""


def explain_member(host: Api, name: str) -> str:
    """Return why a member does not answer; "" where nothing shows it. Never raises, since it explains another error."""
    try:
        pod = host.find(f"/api/v1/namespaces/{NAMESPACE}/pods/{name}")
        if pod is None:
            return "it has no pod"
        return explain_node(host, pod) or explain_log(host, pod) or explain_pod(pod)
    except LabError as error:
        return f"the host cluster does not answer: {error.what}"


def explain_node(host: Api, pod: Json) -> str:
    """Return that the node of a pod is lost, or why no node takes the pod; "" where its node is well."""
    conditions = {each["type"]: each for each in (pod.get("status") or {}).get("conditions") or []}
    if workloads.unschedulable(pod):
        return f"no node takes its pod: {conditions['PodScheduled'].get('message', '')}".rstrip(": ")
    node = host.find(f"/api/v1/nodes/{pod['spec'].get('nodeName')}")
    if node is None:
        return f"its node {pod['spec'].get('nodeName')} is gone"
    ready = {each["type"]: each["status"] for each in (node.get("status") or {}).get("conditions") or []}.get("Ready")
    return "" if ready == "True" else f"its node {node['metadata']['name']} is not ready"


def explain_log(host: Api, pod: Json) -> str:
    """Return what the last lines of etcd say, where they are known."""
    for state in workloads.states(pod):
        text = "\n".join(workloads.log(host, pod, state, lines=30))
        for part, meaning in OF_LOG.items():
            if part in text:
                return meaning
    return ""


def explain_pod(pod: Json) -> str:
    """Return the state of etcd's container, if it does not run."""
    for state in workloads.states(pod):
        for phase, info in (state.get("state") or {}).items():
            if phase != "running":
                return f"its container is {phase}: {info.get('reason', '')} {info.get('message', '')}".rstrip(": ")
    return ""


def explain_loss(host: Api, names: list[str]) -> list[str]:
    """Return for each member without which there is no quorum why it does not answer, one line each."""
    found = {name: explain_member(host, name) for name in names}
    return [f"{name}: {why}" for name, why in found.items() if why]
