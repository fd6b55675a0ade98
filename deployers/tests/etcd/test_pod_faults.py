"""Why a member does not answer: its node, its volume, its disk, its container."""

from __future__ import annotations

from typing import Any

import pytest

from deployers.etcd.pod_faults import explain_loss, explain_member
from deployers.tests.host_fakes import Host, pod

Json = dict[str, Any]


def a_host(item: Json, *, log: str = "", ready: str = "True", node: str = "n") -> Host:
    item["metadata"]["name"], item["spec"] = "etcd-0", {"nodeName": "n"}
    nodes = [{"metadata": {"name": node}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}]
    return Host(pods=[item], nodes=nodes, logs={"etcd-0": log})


@pytest.mark.parametrize(
    ("log", "why"),
    [
        ('{"msg":"couldn\'t find local name \\"etcd-0\\" in the initial cluster"}', "volume was lost"),
        ("write /var/lib/etcd/member/wal: no space left on device", "full"),
        ("wal: crc mismatch", "damaged"),
    ],
)
def test_etcds_own_last_lines(log: str, why: str) -> None:
    host = a_host(pod("etcd", ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}}), log=log)
    assert why in explain_member(host.api(), "etcd-0")


def test_a_lost_node_comes_before_the_log_of_its_pod() -> None:
    assert "not ready" in explain_member(a_host(pod("etcd"), ready="Unknown", log="no space left on device").api(), "etcd-0")
    assert "gone" in explain_member(a_host(pod("etcd"), node="other").api(), "etcd-0")


def test_a_pod_that_no_node_takes() -> None:
    item = pod("etcd", ready=False)
    item["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]
    assert "0/3" in explain_member(a_host(item).api(), "etcd-0")


def test_a_container_that_waits() -> None:
    host = a_host(pod("etcd", ready=False, state={"waiting": {"reason": "ImagePullBackOff"}}))
    assert "ImagePullBackOff" in explain_member(host.api(), "etcd-0")


def test_each_member_of_a_lost_quorum_has_its_reason() -> None:
    host = a_host(pod("etcd"))
    assert explain_loss(host.api(), ["etcd-0", "etcd-1"]) == ["etcd-1: it has no pod"]
