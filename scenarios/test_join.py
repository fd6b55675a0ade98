"""A cluster joins Karmada by push or by pull, serves, and leaves without a trace; ten do so at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deployers.cleanliness import assert_clean
from deployers.join import join
from deployers.karmada import Karmada
from deployers.members import members
from deployers.register import register
from deployers.unjoin import unjoin
from deployers.unregister import unregister
from lab.cluster import Cluster
from scenarios.extra import extra_members, spare_cluster
from scenarios.workload import Workloads, duplicated

Way = tuple[Callable[[Karmada, Cluster], Any], Callable[[Karmada, Cluster], Any]]
WAYS: dict[Any, Way] = {"push": (join, unjoin), "pull": (register, unregister)}


@pytest.fixture
def spare(karmada: Karmada) -> Iterator[Cluster]:
    """A cluster of the lab that is no member, for this test alone."""
    with spare_cluster(karmada) as cluster:
        yield cluster


@pytest.mark.xdist_group("spare")
@pytest.mark.parametrize("mode", WAYS)
def test_a_member_joins_serves_and_leaves_no_trace(mode: Any, karmada: Karmada, spare: Cluster, workload: Workloads) -> None:
    enter, leave = WAYS[mode]

    assert enter(karmada, spare)
    try:
        assert members(karmada)[spare.name].ready
        assert members(karmada)[spare.name].mode == mode
        web = workload(replicas=1, placement=duplicated(spare.name))
        assert web.until_ready() == {spare.name: 1}
        assert not enter(karmada, spare), "to join what is joined changes nothing"
    finally:
        assert leave(karmada, spare)

    assert_clean(karmada, spare, mode)
    assert web.on(spare.name) is None
    assert not leave(karmada, spare), "to remove what is removed changes nothing"


@pytest.mark.breaks  # nothing of the lab, but it takes the whole computer
def test_ten_members_join_and_leave_at_once(karmada: Karmada) -> None:
    before = members(karmada).keys()
    with extra_members(karmada.lab, 10) as clusters, ThreadPoolExecutor(len(clusters)) as pool:
        assert all(pool.map(lambda cluster: join(karmada, cluster, within=120.0), clusters))
        joined = members(karmada)
        assert [joined[cluster.name].ready for cluster in clusters] == [True] * 10

        assert all(pool.map(lambda cluster: unjoin(karmada, cluster, within=120.0), clusters))
        list(pool.map(lambda cluster: assert_clean(karmada, cluster, "push"), clusters))

    assert members(karmada).keys() == before
