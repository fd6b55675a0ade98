"""A WorkloadRebalancer reschedules replicas; without one they stay."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes.client import CustomObjectsApi

from deployers.karmada import Karmada
from scenarios.kit import faults
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workloads, divide_among

REBALANCERS = ("apps.karmada.io", "v1alpha1", "workloadrebalancers")
KEY = "lab.karmada.io/by-hand"


@pytest.mark.thorough
@pytest.mark.breaks
def test_replicas_are_rescheduled_only_when_requested(karmada: Karmada, workload: Workloads, namespace: str) -> None:
    with faults.taint_member(karmada, "member2", KEY, "NoSchedule"):
        web = workload(replicas=4, placement=divide_among({"member1": 1, "member2": 1}))
        assert web.until_ready() == {"member1": 4}
    assert web.placed() == {"member1": 4}, "a member that takes work again is no reason to move any"

    ours, nobodys = ({"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "namespace": namespace} for name in ("web", "nobodys"))
    rebalancers = CustomObjectsApi(karmada.client())
    body = {
        "apiVersion": "/".join(REBALANCERS[:2]),
        "kind": "WorkloadRebalancer",
        "metadata": {"name": namespace},
        "spec": {"workloads": [ours, nobodys]},
    }
    rebalancers.create_cluster_custom_object(*REBALANCERS, body)
    try:

        def check_reasons() -> None:
            """the rebalancer reports a result for each workload"""
            found: Any = rebalancers.get_cluster_custom_object(*REBALANCERS, namespace)
            status = found.get("status") or {}
            results = {each["workload"]["name"]: (each.get("result"), each.get("reason")) for each in status.get("observedWorkloads") or []}
            assert results == {"web": ("Successful", None), "nobodys": ("Failed", "ReferencedBindingNotFound")}

        eventually(check_reasons, within=30)

        def check_spread() -> None:
            """half of the replicas run on each"""
            assert web.placed() == {"member1": 2, "member2": 2}

        eventually(check_spread, within=30)
        assert web.until_ready() == {"member1": 2, "member2": 2}
    finally:
        rebalancers.delete_cluster_custom_object(*REBALANCERS, namespace)
