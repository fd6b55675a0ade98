"""Karmada's own authorities are those that its servers trust, and what they signed is known by its signature."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from deployers.karmada import Karmada
from deployers.pods.issued import ending, issued_leaves, make_successor_leaves, public_of, token_keys, trusted_authorities
from deployers.pods.key_places import all_places
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.host_fakes import Host
from deployers.tests.pod_keys_fakes import chart_host
from lab.cluster import Cluster


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    made = chart_host(tmp_path / "keys")
    monkeypatch.setattr(Cluster, "api", property(lambda _: made.api()))
    return made


@pytest.fixture
def karmada(tmp_path: Path, host: Host) -> Karmada:
    return a_karmada(tmp_path / "run", {"deployer": "by_chart"})


def test_authorities_are_named_by_their_first_use_and_known_with_their_keys(karmada: Karmada) -> None:
    held = {place.name: place.read() for place in all_places(karmada)}
    found = trusted_authorities(karmada, held)
    assert [(each.name, each.key is not None) for each in found] == [("ca", True), ("front-proxy-ca", False)]
    assert {leaf.authority.name for leaf in issued_leaves(held, found)} == {"ca", "front-proxy-ca"}


def test_a_leaf_is_found_once_and_ends_at_its_time(karmada: Karmada, host: Host) -> None:
    held = {place.name: place.read() for place in all_places(karmada)}
    leaves = issued_leaves(held, trusted_authorities(karmada, held))
    assert len(leaves) == 2
    assert ending(leaves, None) == leaves
    assert ending(leaves, dt.timedelta(days=1)) == []
    assert ending(leaves, dt.timedelta(days=400)) == leaves
    (own,) = [leaf for leaf in leaves if leaf.authority.key]
    exchange = make_successor_leaves([own], days=1, keep=token_keys(host.api()))
    assert exchange.keys == {public_of(own.certificate): own.key}, "it signs tokens"
