"""The choice of a subnet: free, the same at every call, and never one of pods or of the other kind of machines."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import NotPossible
from lab.factories.namespace.network import RANGE as NAMESPACES
from lab.factories.subnet import choose_subnet, list_candidates, overlaps
from lab.factories.vm.network import RANGE as VIRTUAL_MACHINES
from lab.images.node import cluster_subnet


@given(st.text(), st.integers(0, 20), st.sampled_from([NAMESPACES, VIRTUAL_MACHINES]))
def test_a_chosen_subnet_is_free(run_id: str, taken: int, among: tuple[int, int]) -> None:
    used = list(islice(list_candidates(run_id, among), taken))
    chosen = IPv4Network(choose_subnet(run_id, used, among=among))

    assert not overlaps(chosen, used)
    assert chosen.is_private


def test_a_run_has_the_same_subnet_at_every_call_and_another_when_that_is_taken() -> None:
    first = choose_subnet("a", [], among=VIRTUAL_MACHINES)
    second = choose_subnet("a", [IPv4Network(first), IPv4Network("0.0.0.0/1")], among=VIRTUAL_MACHINES)

    assert choose_subnet("a", [], among=VIRTUAL_MACHINES) == first != second
    assert not IPv4Network(first).overlaps(IPv4Network(second))


@pytest.mark.parametrize("among", [NAMESPACES, VIRTUAL_MACHINES])
def test_when_every_subnet_is_taken_the_error_names_the_range(among: tuple[int, int]) -> None:
    with pytest.raises(NotPossible, match=f"10.{among[0]}"):
        choose_subnet("blue", [IPv4Network("10.0.0.0/8")], among=among)
    with pytest.raises(NotPossible):
        choose_subnet("a", [IPv4Network(f"10.{second}.0.0/16") for second in range(among[0], among[1] + 1)], among=among)


def test_a_default_route_in_two_halves_takes_no_subnet() -> None:
    assert choose_subnet("blue", [IPv4Network("0.0.0.0/1"), IPv4Network("128.0.0.0/1")], among=NAMESPACES)


def test_no_subnet_of_machines_has_addresses_of_pods_or_of_the_other_kind() -> None:
    namespaces, vms = (list(list_candidates("a", among)) for among in (NAMESPACES, VIRTUAL_MACHINES))
    pods = [cluster_subnet(0), cluster_subnet(511)]

    assert all(subnet < pods[0] for subnet in [*namespaces, *vms])
    assert pods[0] < pods[1]
    assert not set(namespaces) & set(vms)
