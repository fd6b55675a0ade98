"""Start the workloads of a control plane in pods again, one after the other, each only when the one before serves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection

from deployers.names import NAMESPACE
from deployers.plane.rollout import ORDER
from deployers.pods import workloads
from deployers.pods.workloads import HostWorkload
from lab.api import Api, Unreachable
from lab.wait import NotYet, until

RESTARTED = "karmada-lab/restarted"
"""The annotation of a pod template that makes a cluster start its pods again."""
LOOKED = "karmada-lab/certificates"
"""The annotation of a pod that has its kubelet look at its Secrets now."""
RESTARTED_WITHIN = 240.0


def mounts_any(workload: HostWorkload, secrets: Collection[str]) -> bool:
    """Return whether the pods of a workload mount one of these Secrets."""
    volumes = workload.item["spec"]["template"]["spec"].get("volumes") or []
    direct = {(each.get("secret") or {}).get("secretName") for each in volumes}
    projected = {
        (source.get("secret") or {}).get("name") for each in volumes for source in (each.get("projected") or {}).get("sources") or []
    }
    return bool((direct | projected) & set(secrets))


def restart_workloads(host: Api, wanted: Callable[[HostWorkload], bool]) -> list[str]:
    """Restart workloads in the order of an upgrade, each only when the one before serves; return their names."""
    chosen = sorted((each for each in workloads.workloads(host) if wanted(each)), key=order)
    for each in chosen:
        restart_workload(host, each)
    return [each.name for each in chosen]


def order(workload: HostWorkload) -> tuple[int, str]:
    """Return where in the order a workload comes; one that is not Karmada's comes last."""
    return (ORDER.index(workload.component) if workload.component in ORDER else len(ORDER), workload.name)


def restart_workload(host: Api, workload: HostWorkload) -> None:
    """Restart one workload by its own rollout; return when all its pods are new and ready. Old pods that block new ones are deleted."""
    now = dt.datetime.now(dt.UTC).isoformat()
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/{workload.kind}/{workload.name}"
    host.patch(path, {"spec": {"template": {"metadata": {"annotations": {RESTARTED: now}}}}})

    def new() -> None:
        try:
            workloads.make_room(host)
            each = next(each for each in workloads.workloads(host) if each.name == workload.name)
            if why := each.missing():
                workloads.give_up_on(host, each, NAMESPACE)
                raise NotYet(why)
        except Unreachable as away:  # a busy host cluster lets a request time out
            raise NotYet(str(away)) from away

    until(new, what=f"{workload.name} was started again and serves", within=RESTARTED_WITHIN, every=1.0)


def look_at_secrets(host: Api) -> None:
    """Have the kubelets of all pods of Karmada look at their Secrets now."""
    now = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    for pod in workloads.pods(host):
        host.patch(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}", {"metadata": {"annotations": {LOOKED: now}}})
