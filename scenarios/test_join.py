"""A cluster joins Karmada by push or pull, runs workloads, and leaves without leftovers; so do ten in parallel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median
from typing import Any

import pytest

from deployers.karmada import Karmada
from deployers.members.join import join
from deployers.members.leftovers import assert_clean
from deployers.members.register import register
from deployers.members.registry import list_members
from deployers.members.unjoin import unjoin
from deployers.members.unregister import unregister
from lab.cluster import Cluster
from scenarios.kit.extra_members import extra_members, spare_cluster
from scenarios.kit.figures import report_figures
from scenarios.kit.workload import Workloads, duplicate_on

Way = tuple[Callable[..., Any], Callable[..., Any]]
WAYS: dict[Any, Way] = {"push": (join, unjoin), "pull": (register, unregister)}


@pytest.fixture
def spare(karmada: Karmada) -> Iterator[Cluster]:
    """Yield a cluster of the lab that is not a member, for this test alone."""
    with spare_cluster(karmada) as cluster:
        yield cluster


@pytest.mark.xdist_group("spare")
@pytest.mark.parametrize("mode", WAYS)
def test_a_member_joins_serves_and_leaves_no_trace(mode: Any, karmada: Karmada, spare: Cluster, workload: Workloads) -> None:
    enter, leave = WAYS[mode]

    assert enter(karmada, spare)
    try:
        assert list_members(karmada)[spare.name].ready
        assert list_members(karmada)[spare.name].mode == mode
        web = workload(replicas=1, placement=duplicate_on(spare.name))
        assert web.until_ready() == {spare.name: 1}
        assert not enter(karmada, spare), "to join what is joined changes nothing"
    finally:
        assert leave(karmada, spare)

    assert_clean(karmada, spare, mode)
    assert web.on(spare.name) is None
    assert not leave(karmada, spare), "to remove what is removed changes nothing"


@pytest.mark.thorough
@pytest.mark.breaks  # nothing of the lab, but it takes the whole computer
def test_ten_members_join_and_leave_at_once_by_push_and_pull(karmada: Karmada, request: pytest.FixtureRequest) -> None:
    before = list_members(karmada).keys()
    with extra_members(karmada.lab, 10) as clusters, ThreadPoolExecutor(len(clusters)) as pool:
        modes = {cluster.name: list(WAYS)[number % 2] for number, cluster in enumerate(clusters)}

        def measure_join(cluster: Cluster) -> float:
            began = time.monotonic()
            assert WAYS[modes[cluster.name]][0](karmada, cluster, within=120.0)
            return time.monotonic() - began

        def leave(cluster: Cluster, *, force: bool = False) -> bool:
            return bool(WAYS[modes[cluster.name]][1](karmada, cluster, force=force, within=120.0))

        try:
            took = dict(zip(modes, pool.map(measure_join, clusters), strict=True))
            for mode in WAYS:
                seconds = [took[name] for name in took if modes[name] == mode]
                report_figures(
                    request,
                    **{f"join_by_{mode}_p50_seconds": round(median(seconds), 1), f"join_by_{mode}_max_seconds": round(max(seconds), 1)},
                )
            joined = list_members(karmada)
            assert {name: (joined[name].ready, joined[name].mode) for name in modes} == {name: (True, mode) for name, mode in modes.items()}

            assert all(pool.map(leave, clusters))
            list(pool.map(lambda cluster: assert_clean(karmada, cluster, modes[cluster.name]), clusters))
        finally:  # of a test that failed: nobody is to find members without clusters
            left = list_members(karmada).keys() - before
            list(pool.map(partial(leave, force=True), (cluster for cluster in clusters if cluster.name in left)))

    assert list_members(karmada).keys() == before
