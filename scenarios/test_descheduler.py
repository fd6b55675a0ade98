"""The descheduler moves replicas that their member cannot schedule to another member."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployers.checks.conformance import conformance
from deployers.karmada import Karmada
from scenarios.kit import faults
from scenarios.kit.extra_lab import extra_lab
from scenarios.kit.namespaces import make_namespace as made_namespace
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workloads

SOON = 3
"""Seconds after which a replica without a place is moved, and between two looks at them."""


@pytest.fixture
def estimated() -> Iterator[Karmada]:
    """Yield an extra lab with an estimator for each member and a descheduler with a short interval."""
    members = [{"name": name, "nodes": [{"count": 1}]} for name in ("member1", "member2")]
    soon = {"flags": {"descheduling-interval": f"{SOON}s", "unschedulable-threshold": f"{SOON}s"}}
    karmada = {"addons": {"estimators": True, "descheduler": True}, "components": {"karmada-descheduler": soon}}
    with extra_lab({"provider": "embedded", "members": members, "karmada": karmada}, name="descheduler") as own:
        yield own


@pytest.mark.thorough
@pytest.mark.breaks
def test_replicas_without_a_place_are_moved_by_the_descheduler(estimated: Karmada) -> None:
    by_room = {
        "clusterAffinity": {"clusterNames": ["member1", "member2"]},
        "replicaScheduling": {
            "replicaSchedulingType": "Divided",
            "replicaDivisionPreference": "Weighted",
            "weightPreference": {"dynamicWeight": "AvailableReplicas"},
        },
    }
    with made_namespace(estimated, "crowded") as name:
        web = Workloads(estimated, name)("web", replicas=4, placement=by_room)
        assert web.until_ready() == {"member1": 2, "member2": 2}

        with faults.cordon_all(estimated.lab, "member1", name):

            def check_moved() -> None:
                """all replicas run on member2"""
                assert web.placed() == {"member2": 4}
                assert web.ready_on("member2") == 4

            eventually(check_moved, within=120)
        assert web.until_ready() == {"member2": 4}
    conformance(estimated).demand()
