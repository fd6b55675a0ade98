"""A killed component of Karmada is restarted once and works again."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from deployers.karmada import Karmada
from deployers.names import LEASES
from deployers.plane.leases import path_of
from lab.supervisor.client import Supervisor
from scenarios.kit import faults
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workloads, duplicate_on


@pytest.fixture
def supervisor(karmada: Karmada) -> Supervisor:
    return Supervisor(karmada.run.path)


@pytest.fixture
def programs(karmada: Karmada, supervisor: Supervisor) -> Iterator[list[str]]:
    """Yield programs of Karmada. Start them again afterwards with a restart count of 0, for tests that demand no restarts."""
    names = ["karmada-scheduler", "karmada-webhook", "karmada-controller-manager"]
    yield [f"karmada/{name}" for name in names]
    for name in names:
        supervisor.stop(f"karmada/{name}")
        if name in LEASES:  # nobody holds it any more, and none of them gives it back: the new one would wait 15 s
            karmada.api.delete(path_of(LEASES[name], name))
        faults.start_program(karmada.run, f"karmada/{name}")
    faults.assert_recovered(karmada)


@pytest.mark.breaks  # all of them at once: two wait 15 s for the lease of the one before, and that is waited for once
def test_killed_components_come_back_and_work(programs: list[str], supervisor: Supervisor, workload: Workloads) -> None:
    before = {name: supervisor.state(name) for name in programs}
    for name in programs:
        supervisor.signal(name, signal.SIGKILL)

    def check_restarted() -> None:
        """each killed program runs again with a new pid"""
        for name in programs:
            state = supervisor.state(name)
            assert state.state == "running", name
            assert state.pid != before[name].pid, name
            faults.check_ports(state.ports)

    eventually(check_restarted, within=30)

    web = workload(replicas=1, placement=duplicate_on("member1", "member2"))  # admitted by the webhook, scheduled, propagated

    assert web.until_ready() == {"member1": 1, "member2": 1}
    assert {name: supervisor.state(name).restarts for name in programs} == {name: before[name].restarts + 1 for name in programs}
