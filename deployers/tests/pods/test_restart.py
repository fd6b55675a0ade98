"""Workloads are started again one after the other, those alone that mount what changed."""

from __future__ import annotations

from deployers.pods.restart import RESTARTED, look_at_secrets, mounts_any, order, restart_workloads
from deployers.pods.workloads import HostWorkload
from deployers.tests.host_fakes import SYSTEM, Host, deployment, pod
from deployers.tests.pod_keys_fakes import mounting


def workload(name: str, *secrets: str) -> HostWorkload:
    return HostWorkload("deployments", mounting(deployment(name, [name]), *secrets))


def test_what_a_workload_mounts() -> None:
    each = workload("karmada-webhook", "a", "b")
    assert mounts_any(each, {"b"})
    assert not mounts_any(each, {"c"})
    volumes = [{"name": "v", "projected": {"sources": [{"secret": {"name": "c"}}, {"configMap": {"name": "d"}}]}}]
    each.item["spec"]["template"]["spec"]["volumes"] = volumes
    assert mounts_any(each, {"c"})
    assert not mounts_any(each, {"d"})


def test_the_order_is_that_of_an_upgrade() -> None:
    names = ["other", "karmada-scheduler", "karmada-webhook", "kube-controller-manager", "etcd"]
    assert [each.name for each in sorted((workload(name, "a") for name in names), key=order)] == names[::-1]


def test_only_chosen_ones_are_restarted() -> None:
    host = Host(*(deployment(name, [name]) for name in ("karmada-scheduler", "karmada-webhook")), pods=[pod("karmada-webhook")])
    assert restart_workloads(host.api(), lambda each: each.name == "karmada-webhook") == ["karmada-webhook"]
    assert host.patched_paths == [f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/karmada-webhook"]
    (item,) = (
        each for each in host.lists[f"/apis/apps/v1/namespaces/{SYSTEM}/deployments"] if each["metadata"]["name"] == "karmada-webhook"
    )
    assert RESTARTED in item["spec"]["template"]["metadata"]["annotations"]
    look_at_secrets(host.api())
    assert host.patched_paths[1:] == [f"/api/v1/namespaces/{SYSTEM}/pods/karmada-webhook-0"]
