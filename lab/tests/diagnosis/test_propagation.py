"""Karmada's own objects say why nothing is propagated."""

from __future__ import annotations

from typing import Any

import pytest

from lab.diagnosis.propagation import OF_NAMESPACE, explain_bindings, explain_policies, explain_works, find_propagation_causes

Json = dict[str, Any]


def make_policy(placement: Json) -> Json:
    return {"metadata": {"name": "p", "namespace": "shop"}, "spec": {"placement": placement}}


def make_work(namespace: str, status: str) -> Json:
    return {
        "metadata": {"name": "w", "namespace": "karmada-es-member1", "annotations": {OF_NAMESPACE: namespace}},
        "spec": {"workload": {"manifests": [{"kind": "Deployment", "metadata": {"name": "web", "namespace": namespace}}]}},
        "status": {"conditions": [{"type": "Applied", "status": status, "message": "deployments.apps is forbidden"}]},
    }


def make_binding(status: str) -> Json:
    resource = {"kind": "Deployment", "namespace": "shop", "name": "web"}
    conditions = [{"type": "Scheduled", "status": status, "message": "no cluster fits"}]
    return {"metadata": {"name": "b", "namespace": "shop"}, "spec": {"resource": resource}, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("placement", "causes"),
    [
        ({}, 0),
        ({"clusterAffinity": {"clusterNames": ["member1", "member9"]}}, 0),
        ({"clusterAffinity": {"clusterNames": ["member9"]}}, 1),
        ({"clusterAffinities": [{"clusterNames": ["member1"]}, {"clusterNames": ["member9"]}]}, 1),
    ],
)
def test_a_policy_of_unknown_members_is_a_cause(placement: Json, causes: int) -> None:
    found = list(explain_policies([make_policy(placement)], {"member1"}))

    assert len(found) == causes
    assert all("member9" in cause.text for cause in found)


@pytest.mark.parametrize(("status", "causes"), [("False", 1), ("True", 0)])
def test_a_work_that_was_not_applied_is_a_cause(status: str, causes: int) -> None:
    found = list(explain_works([make_work("shop", status)]))

    assert len(found) == causes
    assert all("Deployment shop/web" in cause.text and "forbidden" in cause.text for cause in found)


@pytest.mark.parametrize(("status", "causes"), [("False", 1), ("True", 0)])
def test_a_binding_that_was_not_scheduled_is_a_cause(status: str, causes: int) -> None:
    found = list(explain_bindings([make_binding(status)]))

    assert len(found) == causes
    assert all("no cluster fits" in cause.text for cause in found)


def test_works_of_other_namespaces_are_left_out() -> None:
    class Answers:
        def get(self, path: str) -> Json:
            return {"items": [make_work("other", "False")] if "/works" in path else []}

    assert list(find_propagation_causes(Answers(), "shop")) == []  # type: ignore[arg-type]
    assert len(list(find_propagation_causes(Answers()))) == 1  # type: ignore[arg-type]
