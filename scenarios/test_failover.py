"""When a member dies its replicas run elsewhere, and Karmada says so; when it is back it is empty and healthy."""

from __future__ import annotations

import pytest

from deployers.karmada import Karmada
from scenarios.faults import TAINT, condition, evicting, killed, taints
from scenarios.waiting import eventually
from scenarios.workload import Workloads, divided

SWITCHES = {"enable-no-execute-taint-eviction": "true"}


@pytest.fixture
def failover(karmada: Karmada) -> None:
    """Skips where Karmada was installed without the switches that failover needs (scenarios/lab.toml has them)."""
    manager = karmada.spec.settings("karmada-controller-manager")
    if not manager.feature_gates.get("Failover") or "enable-no-execute-taint-eviction" not in manager.flags:
        pytest.skip(
            "failover is off in this lab: karmada-controller-manager needs the gate Failover and --enable-no-execute-taint-eviction"
        )


@pytest.mark.breaks
@pytest.mark.usefixtures("failover")
def test_replicas_move_when_a_member_dies(karmada: Karmada, workload: Workloads) -> None:
    web = workload(replicas=4, placement=divided({"member1": 1, "member2": 1}))
    assert web.until_ready() == {"member1": 2, "member2": 2}

    with evicting(karmada):
        with killed(karmada.run, "member1/kube-apiserver"):

            def moved() -> None:
                """all replicas run on member2, and Karmada knows why"""
                assert condition(karmada, "member1") == "False"
                assert (TAINT, "NoExecute") in taints(karmada, "member1")
                assert web.placed() == {"member2": 4}
                assert web.ready_on("member2") == 4
                assert web.template().status.ready_replicas == 4

            eventually(moved, within=90)

        def back() -> None:
            """member1 is Ready again, and what was moved away is gone from it"""
            assert condition(karmada, "member1") == "True"
            assert web.on("member1") is None

        eventually(back, within=90)

    assert web.until_ready() == {"member2": 4}


@pytest.mark.breaks
@pytest.mark.usefixtures("failover")
def test_nothing_moves_from_a_member_that_is_tolerated(karmada: Karmada, workload: Workloads) -> None:
    placement = divided({"member1": 1, "member2": 1})
    tolerations = [{"key": TAINT, "operator": "Exists", "effect": "NoExecute"}]
    web = workload(replicas=2, placement={**placement, "clusterTolerations": tolerations})
    web.until_ready()

    with evicting(karmada):
        with killed(karmada.run, "member1/kube-apiserver"):

            def tainted() -> None:
                """member1 has the taint that would evict"""
                assert (TAINT, "NoExecute") in taints(karmada, "member1")

            eventually(tainted, within=60)
            assert web.placed() == {"member1": 1, "member2": 1}

        def back() -> None:
            """member1 is Ready again"""
            assert condition(karmada, "member1") == "True"

        eventually(back, within=90)

    assert web.until_ready() == {"member1": 1, "member2": 1}
