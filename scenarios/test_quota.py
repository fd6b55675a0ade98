"""A FederatedResourceQuota limits a namespace over all members on the control plane, and its shares on the members."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes.client import CoreV1Api, CustomObjectsApi

from deployers.karmada import Karmada
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import POLICY, Workloads, divide_among

NAME = "quota"
REPLICA = 10
"""Thousandths of a CPU that a replica of a test's Deployment asks for."""


class Quota:
    """The FederatedResourceQuota of a namespace."""

    def __init__(self, karmada: Karmada, namespace: str, **spec: Any) -> None:
        self.objects, self.namespace = CustomObjectsApi(karmada.client()), namespace
        body = {"apiVersion": "/".join(POLICY), "kind": "FederatedResourceQuota", "metadata": {"name": NAME}, "spec": spec}
        self.objects.create_namespaced_custom_object(*POLICY, namespace, "federatedresourcequotas", body)

    def status(self) -> Any:
        found: Any = self.objects.get_namespaced_custom_object(*POLICY, self.namespace, "federatedresourcequotas", NAME)
        return found.get("status") or {}

    def change(self, **spec: Any) -> None:
        self.objects.patch_namespaced_custom_object(*POLICY, self.namespace, "federatedresourcequotas", NAME, {"spec": spec})

    def delete(self) -> None:
        self.objects.delete_namespaced_custom_object(*POLICY, self.namespace, "federatedresourcequotas", NAME)


def test_what_is_beyond_the_quota_is_not_scheduled_until_there_is_room(karmada: Karmada, workload: Workloads, namespace: str) -> None:
    manager, webhook = (karmada.spec.settings(name).feature_gates for name in ("karmada-controller-manager", "karmada-webhook"))
    if not (manager.get("FederatedQuotaEnforcement") and webhook.get("FederatedQuotaEnforcement")):
        pytest.skip("quotas are not enforced here: karmada-controller-manager and karmada-webhook need the gate FederatedQuotaEnforcement")
    quota = Quota(karmada, namespace, overall={"cpu": f"{4 * REPLICA}m"})

    def check_counted() -> None:
        """the quota has a status"""
        assert quota.status().get("overall") == {"cpu": f"{4 * REPLICA}m"}

    eventually(check_counted, within=30)
    half = divide_among({"member1": 1, "member2": 1})
    web = workload("web", replicas=4, placement=half)
    assert web.until_ready() == {"member1": 2, "member2": 2}

    def check_used() -> None:
        """the quota is fully used"""
        assert quota.status().get("overallUsed") == {"cpu": f"{4 * REPLICA}m"}

    eventually(check_used, within=30)
    more = workload("more", replicas=2, placement=half)

    def check_refused() -> None:
        """the second Deployment is not scheduled, with the quota as the reason"""
        told = [each for each in more.binding().get("status", {}).get("conditions") or [] if each["type"] == "Scheduled"]
        assert [(each["status"], each["reason"]) for each in told] == [("False", "QuotaExceeded")]
        assert more.placed() == {}

    eventually(check_refused, within=30)
    assert more.on("member1") is None
    assert web.until_ready() == {"member1": 2, "member2": 2}

    quota.change(overall={"cpu": f"{6 * REPLICA}m"})

    assert more.until_ready() == {"member1": 1, "member2": 1}
    assert quota.status()["overallUsed"] == {"cpu": f"{6 * REPLICA}m"}
    web.delete()

    def check_freed() -> None:
        """the deleted Deployment no longer counts"""
        assert quota.status()["overallUsed"] == {"cpu": f"{2 * REPLICA}m"}

    eventually(check_freed, within=60)


def test_a_share_of_a_member_is_a_quota_there_and_its_use_is_reported(karmada: Karmada, workload: Workloads, namespace: str) -> None:
    share = [{"clusterName": "member1", "hard": {"cpu": f"{2 * REPLICA}m"}}]
    quota = Quota(karmada, namespace, overall={"cpu": "1"}, staticAssignments=share)
    there, elsewhere = (CoreV1Api(karmada.lab.member(name).client()) for name in ("member1", "member2"))

    def check_member_quota() -> None:
        """member1 has the quota"""
        found: Any = there.read_namespaced_resource_quota(NAME, namespace)
        assert found.spec.hard == {"cpu": f"{2 * REPLICA}m"}

    eventually(check_member_quota, within=30)
    assert not elsewhere.list_namespaced_resource_quota(namespace).items, "who has no share has no quota"

    web = workload(replicas=6, placement=divide_among({"member1": 1, "member2": 1}))

    def check_share() -> None:
        """member1 runs only what its share allows, member2 runs all its replicas, and Karmada reports the use"""
        assert (web.ready_on("member1"), web.ready_on("member2")) == (2, 3)
        used = [(each["clusterName"], each["used"]) for each in quota.status().get("aggregatedStatus") or []]
        assert used == [("member1", {"cpu": f"{2 * REPLICA}m"})]

    eventually(check_share, within=90)
    quota.delete()

    def check_deleted() -> None:
        """the quota is deleted from the member"""
        assert not there.list_namespaced_resource_quota(namespace).items

    eventually(check_deleted, within=30)
