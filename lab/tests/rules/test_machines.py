"""Rules for machines and the clusters on them."""

from __future__ import annotations

from typing import Any

import pytest

from lab.errors import UsageError
from lab.tests.rules_fakes import paths, problems

HOSTS = [{"name": "a", "address": "10.0.0.5"}, {"name": "b", "address": "b.example.org", "jump": "a"}]


def test_hosts_that_can_be_reached_are_accepted() -> None:
    assert paths({"machine": "b"}, machines={"hosts": HOSTS}) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": "m"}, "machines.hosts[1].name"),
        ({"name": "local"}, "machines.hosts[1].name"),
        ({"address": "10.0.0.5:22"}, "machines.hosts[1].address"),
        ({"address": ""}, "machines.hosts[1].address"),
        ({"user": "a b"}, "machines.hosts[1].user"),
        ({"jump": "c"}, "machines.hosts[1].jump"),
        ({"jump": "b"}, "machines.hosts[1].jump"),
    ],
)
def test_a_host_that_could_not_be_used_is_named(changes: dict[str, str], path: str) -> None:
    assert paths(machines={"hosts": [HOSTS[0], {**HOSTS[1], **changes}]}) == [path]


@pytest.mark.parametrize(
    ("member", "document"),
    [
        ({"machine": "machine1"}, {}),
        ({"machine": "machin1"}, {"machines": {"kind": "namespace", "count": 1}}),
        ({"machine": "machine1"}, {"machines": {"kind": "namespace", "count": 1}, "provider": "kind"}),
    ],
)
def test_a_cluster_is_placed_only_on_a_machine_that_the_lab_has(member: dict[str, str], document: dict[str, Any]) -> None:
    assert paths(member, **document) == ["members[0].machine"]


@pytest.mark.parametrize(
    "machines",
    [
        {},
        {"kind": "namespace"},
        {"kind": "ssh", "count": 1},
        {"kind": "container", "hosts": HOSTS},
        {"hosts": HOSTS, "inventory": "hosts.ini"},
        {"hosts": [HOSTS[0], HOSTS[0]]},
        {"kind": "namespace", "count": 201},
    ],
)
def test_machines_are_given_in_one_way(machines: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="LabSpec"):
        problems(machines=machines)
