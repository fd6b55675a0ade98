"""When a member dies its replicas run on another member, and Karmada's status shows it; a recovered member is healthy and empty."""

from __future__ import annotations

import pytest

from deployers.karmada import Karmada
from scenarios.kit import faults
from scenarios.kit.faults import TAINT, api_down, evict_on_not_ready, list_taints, ready_condition
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workloads, divide_among


@pytest.fixture
def failover(karmada: Karmada) -> None:
    faults.need_failover(karmada)


@pytest.mark.breaks
@pytest.mark.usefixtures("failover")
def test_replicas_move_when_a_member_dies(karmada: Karmada, workload: Workloads) -> None:
    half = divide_among({"member1": 1, "member2": 1})
    tolerating = {**half, "clusterTolerations": [{"key": TAINT, "operator": "Exists", "effect": "NoExecute"}]}
    web, pinned = workload("web", replicas=4, placement=half), workload("pinned", replicas=2, placement=tolerating)
    assert web.until_ready() == {"member1": 2, "member2": 2}
    assert pinned.until_ready() == {"member1": 1, "member2": 1}

    with evict_on_not_ready(karmada):
        with api_down(karmada.lab, "member1"):

            def check_moved() -> None:
                """all replicas run on member2, and Karmada's status shows it"""
                assert ready_condition(karmada, "member1") == "False"
                assert (TAINT, "NoExecute") in list_taints(karmada, "member1")
                assert web.placed() == {"member2": 4}
                assert web.ready_on("member2") == 4
                assert web.reported()["member2"] == 4

            eventually(check_moved, within=90)
            assert pinned.placed() == {"member1": 1, "member2": 1}, "what tolerates the taint is not evicted"

        def check_recovered() -> None:
            """member1 is Ready again without the moved replicas, and the total number of replicas is right"""
            assert ready_condition(karmada, "member1") == "True"
            assert web.on("member1") is None
            # Until here the template's status counts what the dead member had last reported as ready, too: its Work cannot be deleted
            # while the member does not answer (Karmada 1.18.2: 6 of 4 replicas are ready).
            assert web.reported() == {"member2": 4}
            assert web.template().status.ready_replicas == 4

        eventually(check_recovered, within=90)

    assert web.until_ready() == {"member2": 4}
    assert pinned.until_ready() == {"member1": 1, "member2": 1}
