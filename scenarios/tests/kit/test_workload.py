"""A Deployment on Karmada with the policy that places it, and queries of its replicas."""

from __future__ import annotations

from scenarios.kit.workload import divide_among, duplicate_on, replicas_placed, replicas_reported


def test_placements_render_to_policy_fields() -> None:
    assert duplicate_on() == {"replicaScheduling": {"replicaSchedulingType": "Duplicated"}}
    assert duplicate_on("a")["clusterAffinity"] == {"clusterNames": ["a"]}
    weights = divide_among({"a": 1, "b": 2})["replicaScheduling"]["weightPreference"]["staticWeightList"]
    assert [(rule["targetCluster"]["clusterNames"], rule["weight"]) for rule in weights] == [(["a"], 1), (["b"], 2)]


def test_a_binding_without_a_schedule_or_a_report_says_nothing() -> None:
    assert replicas_placed({"spec": {}}) == {}
    assert replicas_reported({"spec": {}}) == {}
    heard = {"status": {"aggregatedStatus": [{"clusterName": "a"}, {"clusterName": "b", "status": {"readyReplicas": 2}}]}}
    assert replicas_reported(heard) == {"a": 0, "b": 2}
