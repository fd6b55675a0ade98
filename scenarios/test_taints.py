"""A tainted member: NoSchedule keeps new workloads away, NoExecute moves running ones, and tolerations are honoured."""

from __future__ import annotations

import pytest

from deployers.karmada import Karmada
from scenarios.kit import faults
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workloads, divide_among, duplicate_on

KEY = "lab.karmada.io/by-hand"
HALF = divide_among({"member1": 1, "member2": 1})


@pytest.mark.breaks
def test_no_schedule_keeps_new_work_away_and_leaves_what_is_there(karmada: Karmada, workload: Workloads) -> None:
    before = workload("before", replicas=2, placement=HALF)
    assert before.until_ready() == {"member1": 1, "member2": 1}

    with faults.taint_member(karmada, "member1", KEY, "NoSchedule"):
        assert faults.list_taints(karmada, "member1") == [(KEY, "NoSchedule")]
        after = workload("after", replicas=2, placement=HALF)
        toleration = {"key": KEY, "operator": "Exists", "effect": "NoSchedule"}
        tolerating = workload(
            "tolerating", replicas=1, placement={**duplicate_on("member1", "member2"), "clusterTolerations": [toleration]}
        )

        assert after.until_ready() == {"member2": 2}
        assert tolerating.until_ready() == {"member1": 1, "member2": 1}
        assert before.until_ready() == {"member1": 1, "member2": 1}, "what was there stays"

    assert after.until_ready() == {"member2": 2}, "what found another place is not moved back by itself"


@pytest.mark.breaks
def test_no_execute_moves_what_does_not_tolerate_it_and_waits_as_long_as_is_tolerated(karmada: Karmada, workload: Workloads) -> None:
    faults.need_failover(karmada)
    for_an_hour = {"key": KEY, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3600}
    web = workload("web", replicas=2, placement=HALF)
    patient = workload("patient", replicas=2, placement={**HALF, "clusterTolerations": [for_an_hour]})
    assert web.until_ready() == patient.until_ready() == {"member1": 1, "member2": 1}

    with faults.taint_member(karmada, "member1", KEY, "NoExecute"):

        def check_moved() -> None:
            """all replicas run on member2 and none on member1"""
            assert web.placed() == {"member2": 2}
            assert web.ready_on("member2") == 2
            assert web.on("member1") is None

        eventually(check_moved, within=60)
        assert patient.placed() == {"member1": 1, "member2": 1}
        assert patient.ready_on("member1") == 1
