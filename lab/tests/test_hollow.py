"""Hollow nodes: what is registered, and what counts as ready."""

from __future__ import annotations

import pytest

from lab.hollow import grace_seconds, lease_seconds, manifests, obstacle, unheld
from lab.spec import Nodes


def test_nodes_are_counted_through_their_groups_and_carry_what_the_spec_says() -> None:
    made = list(manifests("m", [Nodes(count=2, cpu="4", zone="a"), Nodes(count=1, labels={"disk": "ssd"})], port=1))

    assert [node["metadata"]["name"] for node in made] == ["m-node-0", "m-node-1", "m-node-2"]
    assert made[0]["status"]["allocatable"]["cpu"] == "4"
    assert made[0]["metadata"]["labels"]["topology.kubernetes.io/zone"] == "a"
    assert "topology.kubernetes.io/zone" not in made[2]["metadata"]["labels"]
    assert made[2]["metadata"]["labels"]["disk"] == "ssd"


def test_a_node_is_registered_ready() -> None:
    (node,) = manifests("m", [Nodes(count=1)], port=1)

    assert obstacle(node) is None


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ({}, "Ready is not reported"),
        ({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, "Ready is Unknown"),
        ({"status": {"conditions": [{"type": "Ready", "status": "True"}]}, "spec": {"taints": [{"key": "k"}]}}, "tainted k"),
    ],
)
def test_what_keeps_pods_from_a_node_is_named(node: dict[str, object], why: str) -> None:
    assert obstacle(node) == why


def test_a_lease_without_a_holder_is_not_held() -> None:
    assert unheld({"spec": {}})
    assert unheld({"spec": {"holderIdentity": "kwok"}}) is None


@pytest.mark.parametrize("nodes", [0, 1, 200, 2000, 10_000])
def test_a_lease_never_outlives_the_grace_period_and_renewals_stay_few(nodes: int) -> None:
    assert lease_seconds(nodes) < grace_seconds(nodes)
    assert nodes / (lease_seconds(nodes) / 4) <= 20 or lease_seconds(nodes) == 40
