"""An unhealthy application on a healthy member moves to another member, with the state that its policy preserves."""

from __future__ import annotations

from typing import Any

import pytest

from deployers.karmada import Karmada
from scenarios.kit import faults
from scenarios.kit.waiting import eventually, watch
from scenarios.kit.workload import Workloads, duplicate_on

PRESERVED = "lab.karmada.io/replicas-before"
ILL_FOR = 3
"""Seconds after which an application that is ill moves."""


@pytest.mark.breaks
def test_an_ill_application_moves_with_its_state_and_one_that_tolerates_it_stays(
    karmada: Karmada, workload: Workloads, namespace: str
) -> None:
    faults.need_failover(karmada, "StatefulFailoverInjection")
    one = {"spreadConstraints": [{"spreadByField": "cluster", "minGroups": 1, "maxGroups": 1}]}
    anywhere = {**duplicate_on("member1", "member2"), **one}

    def moving(after: int) -> dict[str, Any]:
        rules = [{"aliasLabelName": PRESERVED, "jsonPath": "{ .replicas }"}]
        application = {
            "decisionConditions": {"tolerationSeconds": after},
            "purgeMode": "Directly",
            "statePreservation": {"rules": rules},
        }
        return {"propagateDeps": True, "failover": {"application": application}}

    web = workload("web", replicas=3, placement=anywhere, policy=moving(ILL_FOR))
    (first,) = web.until_ready()
    (other,) = {"member1", "member2"} - {first}
    patient = workload("patient", replicas=1, placement=duplicate_on(first), policy=moving(3600))
    assert patient.until_ready() == {first: 1}

    with faults.cordon_all(karmada.lab, first, namespace):
        arrived = watch(
            web.apps(other).list_namespaced_deployment,
            namespace,
            name="web",
            holds=lambda found: None if (found.metadata.labels or {}).get(PRESERVED) else f"labels {found.metadata.labels}",
            what=f"web is on {other}, with its state",
            within=60,
        )
        assert arrived.metadata.labels[PRESERVED] == "3", "what the member had reported of it before it left"

        def check_moved() -> None:
            """all replicas run on the other member, and nothing is left on the first"""
            assert web.placed() == {other: 3}
            assert web.ready_on(other) == 3
            assert web.on(first) is None

        eventually(check_moved, within=60)
        assert patient.placed() == {first: 1}, "it is ill for less long than it tolerates"
        assert faults.ready_condition(karmada, first) == "True", "the member itself was well"

    assert patient.until_ready() == {first: 1}
    assert web.until_ready() == {other: 3}
    faults.assert_recovered(karmada)
