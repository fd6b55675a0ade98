"""Objects are reduced to a short state; a cut link passes nothing until it is restored."""

from __future__ import annotations

import pytest

from perf.observer import Observer, read_binding, read_cluster, read_node, read_pod, read_work


def test_what_is_read_of_each_kind() -> None:
    named = {"metadata": {"name": "app-00000-deployment"}}
    taint = {"key": "a", "effect": "NoExecute"}
    assert read_cluster({"metadata": {"name": "m"}, "spec": {"taints": [taint]}, "status": {}}) == ("m", "Ready=Unknown taints=a:NoExecute")
    moving = {
        **named,
        "spec": {"clusters": [{"name": "member2", "replicas": 3}], "gracefulEvictionTasks": [{"fromCluster": "member1"}]},
        "status": {"aggregatedStatus": [{"clusterName": "member2", "status": {"readyReplicas": 3}}]},
    }
    assert read_binding(moving) == ("app-00000-deployment", "member2:3 evicting=member1 ready=member2")
    moving["status"] = {"aggregatedStatus": [{"clusterName": "member2", "status": {"readyReplicas": 2}}]}
    assert read_binding(moving)[1] == "member2:3 evicting=member1 ready="
    assert read_binding({**named, "spec": {}})[1] == "- evicting= ready="


@pytest.mark.parametrize(
    ("metadata", "conditions", "state"),
    [
        ({}, [], "created"),
        ({}, [{"type": "Applied", "status": "True"}], "applied"),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, [{"type": "Applied", "status": "True"}], "deleting"),
    ],
)
def test_a_work_is_named_by_its_binding(metadata: dict[str, str], conditions: list[dict[str, str]], state: str) -> None:
    annotations = {"resourcebinding.karmada.io/name": "app-00000-deployment"}
    item = {"metadata": {"annotations": annotations, **metadata}, "status": {"conditions": conditions}}

    assert read_work("member2", item) == ("member2/app-00000-deployment", state)
    assert read_work("member2", {"metadata": {}}) is None


def test_pods_and_nodes() -> None:
    made = {"name": "p", "creationTimestamp": "1970-01-01T00:01:40Z"}
    assert read_pod("m", {"metadata": made}) == ("m/p", "running 100")
    assert read_pod("m", {"metadata": {**made, "deletionTimestamp": "x"}}) == ("m/p", "deleting")
    assert read_node("m", {"metadata": {"name": "n"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}) == (
        "m/n",
        "NotReady",
    )


def test_only_changes_are_kept_and_counted() -> None:
    observer = Observer(0.0)
    for state in ("running 1", "running 1", "deleting", "gone", "running 2"):
        observer.keep("pod", "member2/a", state)
    observer.keep("pod", "member1/a", "running 1")

    assert [row[3] for row in observer.rows if row[2] == "member2/a"] == ["running 1", "deleting", "gone", "running 2"]
    assert (observer.count_running("member2"), observer.count_running("member1"), observer.count_running("member2", "limit")) == (1, 1, 0)
