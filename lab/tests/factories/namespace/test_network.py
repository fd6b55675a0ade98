from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import NotPossible
from lab.factories.namespace.network import MachineNetwork, choose_subnet, list_candidates, overlaps, read_network
from lab.run import Run


@given(st.text(), st.integers(0, 20))
def test_a_chosen_subnet_is_free(run_id: str, taken: int) -> None:
    used = list(islice(list_candidates(run_id), taken))
    chosen = IPv4Network(choose_subnet(run_id, used))

    assert not overlaps(chosen, used)
    assert chosen.is_private


def test_when_every_subnet_is_taken_none_is_chosen() -> None:
    with pytest.raises(NotPossible):
        choose_subnet("blue", [IPv4Network("10.0.0.0/8")])


def test_a_default_route_in_two_halves_takes_no_subnet() -> None:
    assert choose_subnet("blue", [IPv4Network("0.0.0.0/1"), IPv4Network("128.0.0.0/1")])


def test_addresses_of_machines_follow_that_of_this_computer() -> None:
    network = MachineNetwork("10.200.7.0/24", "karmada-lab.blue.switch", "kl-1")

    assert (network.gateway, network.prefix, network.address(0), network.address(199)) == ("10.200.7.1", 24, "10.200.7.10", "10.200.7.209")


def test_a_run_without_machines_has_no_network(tmp_path: Path) -> None:
    assert read_network(Run.create("blue", {}, root=tmp_path)) is None
