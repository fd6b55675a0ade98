from __future__ import annotations

import json

import httpx
import pytest

from deployers.checks import description
from deployers.pods import workloads
from deployers.tests.host_fakes import Host, deployment, pod
from lab.errors import NotReady, ProvisionError

SCHEDULER = deployment("karmada-scheduler", ["/bin/karmada-scheduler", "--v=2"], replicas=2)
APISERVER = deployment("karmada-apiserver", ["kube-apiserver", "--secure-port=5443"])
ETCD = deployment("karmada-etcd", ["/usr/local/bin/etcd", "--name=$(POD_NAME)"], kind="StatefulSet", replicas=3)


def test_programs_are_named_as_those_of_processes_whatever_an_installer_calls_its_workloads() -> None:
    estimator = deployment("karmada-scheduler-estimator-member1", ["/bin/karmada-scheduler-estimator", "--cluster-name=member1"])
    host = Host(SCHEDULER, APISERVER, ETCD, estimator).api()

    programs = workloads.programs(host)

    assert sorted(programs) == [
        "karmada/etcd",
        "karmada/etcd-2",
        "karmada/etcd-3",
        "karmada/karmada-apiserver",
        "karmada/karmada-scheduler",
        "karmada/karmada-scheduler-2",
        "karmada/karmada-scheduler-estimator-member1",
    ]
    described = description.components(programs)
    assert described["etcd"]["replicas"] == 3
    assert described["karmada-apiserver"]["flags"] == {"secure-port": "PORT"}
    assert described["karmada-scheduler-estimator"]["replicas"] == 1


def test_what_serves_is_not_waited_for() -> None:
    workloads.wait_serving(Host(SCHEDULER, ETCD).api(), ["karmada-scheduler"], within=0.0)


def test_an_unready_pod_is_described_by_its_events_and_log() -> None:
    late = deployment("karmada-webhook", ["/bin/karmada-webhook"], ready=0)
    event = {
        "involvedObject": {"name": "karmada-webhook-0"},
        "reason": "FailedMount",
        "message": "secret not found",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "metadata": {"labels": {}},
    }
    host = Host(SCHEDULER, late, pods=[pod("karmada-webhook", ready=False)], logs={"karmada-webhook-0": "no certificate\n"}, events=[event])

    with pytest.raises(NotReady, match="0 of 1") as caught:
        workloads.wait_serving(host.api(), within=0.0)

    told = str(caught.value)
    assert "FailedMount: secret not found" in told
    assert "log of karmada-webhook: no certificate" in told


def test_a_workload_that_is_not_there_is_waited_for_by_name() -> None:
    with pytest.raises(NotReady, match="karmada-search: not there"):
        workloads.wait_serving(Host(SCHEDULER).api(), ["karmada-search"], within=0.0)


@pytest.mark.parametrize(
    ("restarts", "reason", "said"),
    [(0, "ImagePullBackOff", "ImagePullBackOff"), (workloads.PATIENCE, "CrashLoopBackOff", "crashed 4 times")],
)
def test_what_can_never_get_ready_is_an_error_at_once(restarts: int, reason: str, said: str) -> None:
    late = deployment("karmada-webhook", ["/bin/karmada-webhook"], ready=0)
    broken = pod("karmada-webhook", ready=False, restarts=restarts, state={"waiting": {"reason": reason, "message": "why"}})

    with pytest.raises(ProvisionError, match=said) as caught:
        workloads.wait_serving(Host(late, pods=[broken]).api(), within=1000.0)

    assert not isinstance(caught.value, NotReady)
    assert "image hub/karmada-webhook:1" in str(caught.value)


def test_a_crash_or_two_while_others_start_is_waited_out() -> None:
    late = deployment("karmada-webhook", ["/bin/karmada-webhook"], ready=0)
    crashing = pod("karmada-webhook", ready=False, restarts=2, state={"waiting": {"reason": "CrashLoopBackOff"}})

    with pytest.raises(NotReady):
        workloads.wait_serving(Host(late, pods=[crashing]).api(), within=0.0)


def test_replicas_of_an_older_template_are_missing_until_they_are_gone() -> None:
    rolling = deployment("karmada-webhook", ["/bin/karmada-webhook"])
    rolling["status"]["replicas"] = 2

    assert workloads.HostWorkload("deployments", rolling).missing() == "karmada-webhook: old pods still running: 1"


def test_restarts_are_counted_by_container() -> None:
    host = Host(pods=[pod("karmada-webhook", restarts=2), pod("karmada-scheduler")])

    assert workloads.restarts(host.api()) == {"karmada-webhook-0/karmada-webhook": 2, "karmada-scheduler-0/karmada-scheduler": 0}


class Remade(Host):
    """A host cluster whose pods are new ones when they are deleted."""

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            pods = self.lists["/api/v1/namespaces/karmada-system/pods"]
            (gone,) = (each for each in pods if each["metadata"]["name"] == request.url.path.rpartition("/")[2])
            gone["status"]["containerStatuses"][0]["restartCount"] = 0
            return httpx.Response(200, json={})
        return super().answer(request)


def test_only_restarted_pods_are_recreated() -> None:
    host = Remade(deployment("a", ["a"]), deployment("b", ["b"]), pods=[pod("a", restarts=3), pod("b")])

    assert workloads.recreate_restarted_pods(host.api(), within=1.0) == ["a-0"]
    assert set(workloads.restarts(host.api()).values()) == {0}


def test_only_the_replica_set_that_blocks_the_rollout_is_scaled_down() -> None:
    stuck = {
        **deployment("a", ["a"], ready=0),
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 1, "readyReplicas": 1},
    }
    old, new, other = pod("a"), pod("a", ready=False), pod("b")
    for each, name in ((old, "a-old"), (new, "a-new"), (other, "b-1")):
        each["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": name}]
    new["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "message": "didn't match pod anti-affinity rules"}]
    patched: list[tuple[str, object]] = []

    class Seen(Host):
        def answer(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PATCH":
                patched.append((request.url.path, json.loads(request.content)))
                return httpx.Response(200, json={})
            return super().answer(request)

    assert workloads.make_room(Seen(stuck, deployment("b", ["b"]), pods=[old, new, other]).api()) == ["a-old"]
    assert patched == [("/apis/apps/v1/namespaces/karmada-system/replicasets/a-old", {"spec": {"replicas": 0}})]
    new["status"]["conditions"] = []
    assert workloads.make_room(Seen(stuck, deployment("b", ["b"]), pods=[old, new, other]).api()) == []
