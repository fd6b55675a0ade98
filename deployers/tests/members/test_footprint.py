"""What Karmada puts on clusters that exist."""

from __future__ import annotations

import re
from typing import Any

import pytest

from deployers.members.footprint import FOREIGN, list_cluster_needs
from deployers.members.owned_objects import OWNED_OBJECTS
from deployers.spec import KarmadaSpec
from lab.existing.rights import EVERYTHING
from lab.spec import LabSpec, parse


def a_lab(**host: Any) -> LabSpec:
    members = [{"name": "east", "kubeconfig": "/east"}, {"name": "west", "mode": "pull", "kubeconfig": "/west"}, {"name": "made"}]
    return parse(LabSpec, {"host": host, "members": members}, source="test")


def test_of_a_member_every_object_that_joining_makes_is_named_whatever_its_mode() -> None:
    needs = list_cluster_needs(a_lab(), KarmadaSpec())

    assert needs.keys() == {"east", "west"}
    for name, each in needs.items():
        assert {owned.at(name) for owned in OWNED_OBJECTS if owned.side == "member"} <= set(each.footprint.paths)
    assert len(needs["west"].rights) > len(needs["east"].rights)


@pytest.mark.parametrize(("deployer", "everything"), [("by_binary", False), ("by_chart", True), ("by_operator", True)])
def test_the_host_gets_something_only_where_karmada_runs_in_its_pods(deployer: str, everything: bool) -> None:
    host = list_cluster_needs(a_lab(kubeconfig="/host"), KarmadaSpec(deployer=deployer))["host"]

    assert (EVERYTHING in host.rights) is everything
    assert bool(host.footprint.paths) is everything
    assert host.foreign == FOREIGN


def test_bare_clusters_get_nothing() -> None:
    assert list_cluster_needs(a_lab(kubeconfig="/host"), None) == {}


@pytest.mark.parametrize("name", ["karmada-impersonator", "karmada-controller-manager:karmada-east", "karmada-agent", "system:karmada:x"])
def test_roles_of_any_karmada_are_recognised(name: str) -> None:
    patterns = [pattern for path, pattern in FOREIGN.names if path.endswith("/clusterroles")]

    assert any(re.fullmatch(pattern, name) for pattern in patterns)
    assert not any(re.fullmatch(pattern, "not-karmada") for pattern in patterns)
