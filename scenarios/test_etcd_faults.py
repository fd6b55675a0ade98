"""A network partition or a full disk of an etcd member loses no acknowledged write."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes.client import CoreV1Api

from deployers.checks.conformance import conformance
from deployers.etcd.client import EtcdClient
from deployers.karmada import Karmada
from lab.supervisor.client import Supervisor
from scenarios.kit import faults
from scenarios.kit.etcd_faults import MIB, network_partition, small_disk
from scenarios.kit.extra_lab import extra_lab
from scenarios.kit.figures import report_figures
from scenarios.kit.namespaces import make_namespace as made_namespace
from scenarios.kit.traffic import TIMEOUT, traffic
from scenarios.kit.waiting import eventually


@pytest.fixture(scope="module")
def three_members() -> Iterator[Karmada]:
    """Yield an extra lab with three etcd members."""
    members = [{"name": "member1", "nodes": [{"count": 1}]}]
    with extra_lab({"provider": "embedded", "members": members, "karmada": {"etcd": {"members": 3}}}, name="etcd") as own:
        yield own
        faults.restart_ended(own)
        faults.assert_recovered(own)
        conformance(own).demand()


@pytest.fixture
def used_namespace(three_members: Karmada) -> Iterator[str]:
    """Yield a namespace of this Karmada; assert a healthy etcd before and after."""
    assert len(EtcdClient.of(three_members).until_well().voters) == 3
    with made_namespace(three_members, f"used-{secrets.token_hex(3)}") as name:
        yield name
    health = EtcdClient.of(three_members).until_well()
    assert health.problems == []
    assert len(health.voters) == 3


@pytest.mark.thorough
@pytest.mark.breaks
@pytest.mark.parametrize("clients", [False, True], ids=["from other members", "from everybody"])
def test_a_leader_that_is_cut_off_takes_no_acknowledged_write_along(
    clients: bool, three_members: Karmada, used_namespace: str, request: pytest.FixtureRequest
) -> None:
    etcd = EtcdClient.of(three_members)
    leader = etcd.until_well().leader
    assert leader
    with network_partition(three_members, leader) as links:
        etcd.until_well()
        move_leader(etcd, leader)  # it lost its place while it moved
        was = next(member.id for member in etcd.until_well().members if member.leads)
        with traffic(three_members, used_namespace) as going:
            going.until_written(20)
            links.cut(clients=clients)

            def check_leader() -> None:
                """the other members have elected a new leader"""
                for name in (name for name in etcd.endpoints if name != leader):
                    said = etcd.status(name)
                    assert isinstance(said, dict), said
                    assert f"{said['Status'].get('leader', 0):x}" not in {"0", was}, name

            eventually(check_leader, within=30)
            # Where its clients still reach it, karmada-apiserver goes on asking it, too, and what it asks of it times out: that is slow.
            going.until_written(10, within=180)
            links.restore()
            etcd.until_well()
            going.until_written(20)
        report_figures(request, **going.figures())
        going.check(within=180.0)


@pytest.mark.thorough
@pytest.mark.breaks
def test_a_member_with_a_full_disk_recovers_without_losing_acknowledged_writes(
    three_members: Karmada, used_namespace: str, request: pytest.FixtureRequest
) -> None:
    etcd, supervisor = EtcdClient.of(three_members), Supervisor(three_members.run.path)
    victim = etcd.until_well().leader
    assert victim
    program = f"karmada/{victim}"
    with small_disk(three_members, victim) as disk:
        etcd.until_well()
        with traffic(three_members, used_namespace) as going:
            going.until_written(20)
            before = supervisor.state(program)
            disk.fill()
            core, number = CoreV1Api(three_members.client()), 0

            def check_exited() -> None:
                """the member has exited because its disk is full"""
                nonlocal number
                number += 1
                large: Any = {"metadata": {"name": f"large-{number}"}, "data": {"text": "x" * (MIB // 2)}}
                core.create_namespaced_config_map(used_namespace, large, _request_timeout=TIMEOUT)
                assert supervisor.state(program).pid != before.pid or not supervisor.state(program).runs

            eventually(check_exited, within=60, every=0.05)
            assert "no space left on device" in three_members.run.log(program).read_text(errors="replace")
            going.until_written(30)
            disk.free()
            etcd.until_well(within=120.0)
            going.until_written(20)
        report_figures(request, **going.figures())
        going.check(within=180.0)
    etcd.until_well()


def move_leader(etcd: EtcdClient, name: str) -> None:
    """Make a member the leader."""
    members = etcd.until_well().members
    there = next(member for member in members if member.leads)
    if there.name != name:
        etcd.ctl("move-leader", next(member.id for member in members if member.name == name), at=there.client)
