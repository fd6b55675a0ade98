"""The lab's own etcd in pods: lost members are replaced, it becomes one and three again, a backup is restored in place.

python -m pytest scenarios/test_etcd_pods.py -m thorough --lab-spec scenarios/etcd_pods.toml
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from kubernetes.client import CoreV1Api, V1ConfigMap, V1ObjectMeta
from kubernetes.client.exceptions import ApiException

from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.restore import restore
from deployers.backup.take import back_up
from deployers.etcd.members import has_pods
from deployers.etcd.pod import PodEtcdClient
from deployers.etcd.pod_membership import drop_volume, grow, remove, replace
from deployers.karmada import Karmada
from deployers.pods.etcd.install import member_count
from deployers.pods.etcd.names import runs_own_etcd
from lab.errors import UsageError
from scenarios.kit.extra_lab import as_it_is_now
from scenarios.kit.figures import report_figures
from scenarios.kit.traffic import traffic
from scenarios.kit.waiting import eventually

pytestmark = [pytest.mark.needs("PODS"), pytest.mark.thorough, pytest.mark.breaks, pytest.mark.xdist_group("etcd-pods")]


@pytest.fixture
def three(karmada: Karmada) -> Karmada:
    """Karmada with an etcd of the lab's own in pods, of three members that are well."""
    now = as_it_is_now(karmada)
    if not (has_pods(now) and runs_own_etcd(now.spec)):
        pytest.skip("this needs an etcd of the lab's own in pods: scenarios/etcd_pods.toml")
    now = grow(now)
    assert len(PodEtcdClient.of(now).until_well().voters) == 3
    return now


def lose_volume(karmada: Karmada, name: str) -> None:
    """Delete a member's volume and pod; its StatefulSet brings the pod again, with an empty volume."""
    drop_volume(karmada, name)

    def lost() -> None:
        """the others see that it does not answer"""
        member = next(each for each in PodEtcdClient.of(karmada).health().members if each.name == name)
        assert not member.answers

    eventually(lost, within=60)


def test_a_member_that_lost_its_volume_is_replaced_under_traffic(three: Karmada, namespace: str, request: pytest.FixtureRequest) -> None:
    leader = PodEtcdClient.of(three).until_well().leader
    assert leader

    with traffic(three, namespace) as going:
        going.until_written(5)
        lose_volume(three, leader)
        began = time.monotonic()
        replace(three, leader)
        took = time.monotonic() - began
        going.until_written(5)
    report_figures(request, replaced_in=round(took, 1), **going.figures())
    going.check()

    health = PodEtcdClient.of(three).until_well()
    assert len(health.voters) == 3
    with pytest.raises(UsageError, match="alive"):
        replace(three, leader)


def test_it_becomes_one_and_three_again_under_traffic(three: Karmada, namespace: str, request: pytest.FixtureRequest) -> None:
    with traffic(three, namespace) as going:
        going.until_written(5)
        now = remove(remove(three, "etcd-2"), "etcd-1")
        assert (member_count(now), now.spec.etcd.members) == (1, 1)
        going.until_written(5)
        now = grow(now)
        going.until_written(5)
    report_figures(request, **going.figures())
    going.check()

    assert (member_count(now), now.spec.etcd.members) == (3, 3)
    assert len(PodEtcdClient.of(now).until_well().voters) == 3


def test_below_quorum_nothing_is_removed(three: Karmada) -> None:
    with pytest.raises(UsageError, match="before"):
        remove(three, "etcd-0")
    lose_volume(three, "etcd-0")
    try:
        with pytest.raises(UsageError, match="quorum"):
            remove(three, "etcd-2")
        assert len(PodEtcdClient.of(three).health().voters) == 3, "nothing was changed"
    finally:
        replace(three, "etcd-0")


def test_a_backup_is_restored_in_place(three: Karmada, namespace: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    core = CoreV1Api(three.client())
    core.create_namespaced_config_map(namespace, V1ConfigMap(metadata=V1ObjectMeta(name="kept"), data={"a": "1"}))
    backup = back_up(three, ArchiveFolder(tmp_path), keep=1)
    core.delete_namespaced_config_map("kept", namespace)
    core.create_namespaced_config_map(namespace, V1ConfigMap(metadata=V1ObjectMeta(name="later")))

    done = restore(three, backup.path)

    report_figures(request, backup=round(backup.seconds, 1), restore=round(done.seconds, 1))
    assert core.read_namespaced_config_map("kept", namespace).data == {"a": "1"}
    with pytest.raises(ApiException, match="404"):
        core.read_namespaced_config_map("later", namespace)
    assert len(PodEtcdClient.of(three).until_well().voters) == 3
