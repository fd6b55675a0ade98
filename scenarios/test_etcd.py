"""Karmada's etcd grows to three members, loses and replaces members, and shrinks to one, without losing an acknowledged write."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from deployers.etcd.certificates import fetch_etcd_certificate, renew_etcd
from deployers.etcd.client import EtcdClient
from deployers.etcd.membership import grow, remove, replace
from deployers.karmada import Karmada
from deployers.plane.layout import etcds
from deployers.up.bring_up import bring_up
from deployers.wanted import prepare
from lab.errors import UsageError
from lab.supervisor.client import Supervisor
from scenarios.kit import faults
from scenarios.kit.extra_lab import as_it_is_now
from scenarios.kit.figures import report_figures
from scenarios.kit.traffic import traffic
from scenarios.kit.waiting import eventually


@pytest.fixture
def three_members(karmada: Karmada) -> Iterator[Karmada]:
    """Yield Karmada with three etcd members. Shrink etcd to one member afterwards and assert its health."""
    if karmada.spec.deployer != "by_binary" or etcds(karmada) != ["etcd"]:
        pytest.skip("this needs an etcd of Karmada's own, of one member, as a program of the lab (by_binary)")
    before = karmada.run.asked
    yield grow(karmada)
    now = as_it_is_now(karmada)
    supervisor = Supervisor(karmada.run.path)
    for name in etcds(now):
        if not supervisor.state(f"karmada/{name}").runs:
            faults.start_program(karmada.run, f"karmada/{name}")
    EtcdClient.of(now).until_well()
    for name in ("etcd-3", "etcd-2"):
        if name in etcds(now):
            now = remove(now, name)
    assert now.run.asked == before, "the lab is what it was asked to be"
    again = bring_up(prepare({**before["lab"], "karmada": before["karmada"]}), now.run.id, root=now.run.path.parent, label="as it was")
    again.hold.release()
    assert not again.changed
    faults.restart_ended(karmada)
    faults.assert_recovered(karmada)


@pytest.mark.breaks
def test_members_come_and_go_and_nothing_acknowledged_is_lost(
    three_members: Karmada, namespace: str, request: pytest.FixtureRequest
) -> None:
    etcd, supervisor = EtcdClient.of(three_members), Supervisor(three_members.run.path)
    assert len(etcd.until_well().voters) == 3

    with traffic(three_members, namespace) as going:
        leader = etcd.until_well().leader
        supervisor.signal(f"karmada/{leader}", signal.SIGKILL)  # behind the supervisor's back: it starts it again

        def check_leader() -> None:
            """etcd has three members and a leader again"""
            assert not [problem for problem in etcd.health().problems if "behind" not in problem]

        eventually(check_leader, within=30)

        supervisor.stop("karmada/etcd-2", kill=True)
        with pytest.raises(UsageError, match="quorum"):
            remove(three_members, "etcd-3")
        replace(three_members, "etcd-2")
        etcd.defragment()
    report_figures(request, **going.figures())
    going.check()
    assert going.writes.longest < 15.0


@pytest.mark.thorough
@pytest.mark.breaks
def test_certificates_are_renewed_while_everything_runs(karmada: Karmada) -> None:
    etcd, supervisor = EtcdClient.of(karmada), Supervisor(karmada.run.path)
    status = supervisor.status()
    assert status
    before = {name: state.pid for name, state in status.programs.items()}
    old = fetch_etcd_certificate(etcd, etcd.endpoints["etcd"])

    renewed = renew_etcd(karmada, before=None)

    assert {"etcd-server", "etcd-peer", "etcd-client", "karmada-apiserver-etcd-client"} <= renewed.keys()
    new = fetch_etcd_certificate(etcd, etcd.endpoints["etcd"])
    assert new.serial_number != old.serial_number
    assert new.not_valid_after_utc >= old.not_valid_after_utc
    after = supervisor.status()
    assert after
    assert {name: state.pid for name, state in after.programs.items()} == before, "nothing was started again"
    supervisor.restart("karmada/etcd")  # every client has to come in anew, with its new certificate
    etcd.until_well()
    faults.restart_ended(karmada)
    faults.assert_recovered(karmada)
