"""Members that leave and return: while down, by force, without having joined, with preserved objects, and rebuilt."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from kubernetes.client import CoreV1Api, V1Namespace, V1ObjectMeta

from deployers.karmada import Karmada
from deployers.members.join import join
from deployers.members.leftovers import MANAGED
from deployers.members.registry import list_members
from deployers.members.unjoin import unjoin
from lab.cluster import Cluster
from lab.errors import ProvisionError, UsageError
from scenarios.kit import faults
from scenarios.kit.extra_members import extra_members, recreate_cluster, spare_cluster
from scenarios.kit.figures import report_figures
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workloads, duplicate_on


@pytest.fixture
def spare(karmada: Karmada) -> Iterator[Cluster]:
    """Yield a cluster of the lab that is not a member, for this test alone; remove it from Karmada afterwards."""
    with spare_cluster(karmada) as cluster:
        yield cluster
        if cluster.name in list_members(karmada):
            unjoin(karmada, cluster, force=True)


@pytest.mark.xdist_group("spare")
def test_a_cluster_that_never_joined_cannot_leave(karmada: Karmada, spare: Cluster) -> None:
    before = list_members(karmada)

    assert not unjoin(karmada, spare), "who is no member is left alone"
    for force in (False, True):  # its kubeconfig under a member's name: forced, too, only if it could be that member, rebuilt
        with pytest.raises(UsageError, match="cluster"):
            unjoin(karmada, replace(karmada.lab.member("member1"), name="member2"), force=force)

    assert list_members(karmada) == before


@pytest.mark.breaks
def test_a_member_that_is_down_leaves_by_force_and_comes_back(
    karmada: Karmada, spare: Cluster, workload: Workloads, request: pytest.FixtureRequest
) -> None:
    began = time.monotonic()
    join(karmada, spare)
    report_figures(request, join_seconds=round(time.monotonic() - began, 1))
    web = workload(replicas=1, placement=duplicate_on(spare.name))
    web.until_ready()

    with faults.api_down(karmada.lab, spare.name):
        with pytest.raises(ProvisionError, match="does not answer"):
            unjoin(karmada, spare)
        assert spare.name in list_members(karmada), "nothing was changed"
        assert unjoin(karmada, spare, force=True, within=10.0)
        assert spare.name not in list_members(karmada)

    assert web.on(spare.name), "what Karmada had put there stays"
    assert join(karmada, spare), "under its old name"
    assert web.until_ready() == {spare.name: 1}
    assert unjoin(karmada, spare)

    def check_emptied() -> None:
        """the objects that Karmada created there are deleted"""
        assert web.on(spare.name) is None

    eventually(check_emptied, within=60)


@pytest.mark.thorough
@pytest.mark.breaks
def test_preserved_objects_stay_without_an_owner(karmada: Karmada, spare: Cluster, namespace: str, workload: Workloads) -> None:
    CoreV1Api(spare.client()).create_namespace(
        V1Namespace(metadata=V1ObjectMeta(name=namespace))
    )  # or it is Karmada's, and goes with all that is in it
    join(karmada, spare)
    web = workload(replicas=1, placement=duplicate_on(spare.name), policy={"preserveResourcesOnDeletion": True})
    web.until_ready()

    assert unjoin(karmada, spare)

    left: Any = web.on(spare.name)
    assert left
    key, _, value = MANAGED.partition("=")
    assert (left.metadata.labels or {}).get(key) != value, "Karmada's label is taken off"
    CoreV1Api(spare.client()).delete_namespace(namespace)


@pytest.mark.thorough
@pytest.mark.breaks
def test_a_rebuilt_member_is_another_cluster_until_the_old_one_has_left(karmada: Karmada) -> None:
    with extra_members(karmada.lab, 1) as (cluster,):
        join(karmada, cluster)
        try:
            first = list_members(karmada)[cluster.name].id
            recreate_cluster(karmada.lab, cluster)

            with pytest.raises(UsageError, match="cluster"):
                join(karmada, cluster)
            with pytest.raises(UsageError, match="cluster"):
                unjoin(karmada, cluster)
            assert unjoin(karmada, cluster, force=True, within=10.0)
            assert join(karmada, cluster)

            assert list_members(karmada)[cluster.name].ready
            assert list_members(karmada)[cluster.name].id != first
        finally:
            assert unjoin(karmada, cluster, force=True, within=10.0)
