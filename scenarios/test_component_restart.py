"""A part of Karmada that is killed comes back by itself, once, and does its work again."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from deployers.components import LEASES
from deployers.karmada import Karmada
from deployers.leases import path_of
from lab.supervisor.client import Supervisor
from scenarios import faults
from scenarios.waiting import eventually
from scenarios.workload import Workloads, duplicated


@pytest.fixture
def supervisor(karmada: Karmada) -> Supervisor:
    return Supervisor(karmada.run.path)


@pytest.fixture(params=["karmada-scheduler", "karmada-webhook", "karmada-controller-manager"])
def program(request: pytest.FixtureRequest, karmada: Karmada, supervisor: Supervisor) -> Iterator[str]:
    """A program of Karmada; at the end it is started afresh, so that nobody after us finds one that was restarted."""
    name = f"karmada/{request.param}"
    yield name
    supervisor.stop(name)
    if request.param in LEASES:  # nobody holds it any more, and none of them gives it back: the new one would wait 15 s
        karmada.api.delete(path_of(LEASES[request.param], request.param))
    faults.start(karmada.run, name)
    faults.whole(karmada)


@pytest.mark.breaks
def test_a_killed_component_comes_back_and_works(program: str, supervisor: Supervisor, workload: Workloads) -> None:
    before = supervisor.state(program)
    supervisor.signal(program, signal.SIGKILL)

    def back() -> None:
        """it runs again, as another process"""
        state = supervisor.state(program)
        assert state.state == "running"
        assert state.pid != before.pid
        faults.listens(state.ports)

    eventually(back, within=30)

    web = workload(replicas=1, placement=duplicated("member1", "member2"))  # admitted by the webhook, scheduled, propagated

    assert web.until_ready() == {"member1": 1, "member2": 1}
    assert supervisor.state(program).restarts == before.restarts + 1
