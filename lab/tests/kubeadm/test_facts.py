"""What a machine says of itself, and why it cannot be a node."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import NotPossible
from lab.kubeadm import facts

GOOD = """user=0
arch=x86_64
clock=1000
systemd=yes
container=docker
bounds=0000003ffeffffff
memory=4000000
free=9000000
writable=yes
owner=
foreign=
port=0016
"""
FACTS = facts.parse_facts(GOOD, now=1000.0)


def refuse(**changes: object) -> list[str]:
    return facts.list_refusals(replace(FACTS, **changes), run="try", cluster="host", arch="amd64")  # type: ignore[arg-type]


def test_a_plain_machine_can_be_a_node() -> None:
    assert refuse() == []
    assert FACTS.bounded
    assert FACTS.ports == {22}
    assert not facts.parse_facts(GOOD.replace("3ffeffffff", "3fffffffff"), now=0).bounded


@pytest.mark.parametrize(
    ("changes", "noun"),
    [
        ({"user": 1000}, "root"),
        ({"systemd": False}, "systemd"),
        ({"arch": "arm64"}, "arm64"),
        ({"missing": ("iptables",)}, "iptables"),
        ({"writable": False}, "read-only"),
        ({"skew": -3600.0}, "-3600"),
        ({"owner": {"run": "other", "cluster": "host"}}, "other"),
        ({"foreign": ("/etc/kubernetes/admin.conf",)}, "admin.conf"),
        ({"memory": 500}, "500 MiB"),
        ({"free": 100}, "100 MiB"),
        ({"ports": frozenset({6443})}, "6443"),
    ],
)
def test_each_fault_of_a_machine_is_refused_with_its_remedy(changes: dict[str, object], noun: str) -> None:
    (why,) = refuse(**changes)

    assert noun in why
    assert ": " in why
    with pytest.raises(NotPossible) as refused:
        facts.require_node("machine1", [why])
    assert refused.value.remedy


def test_a_node_of_this_cluster_is_not_refused_for_what_it_runs_itself() -> None:
    own = {"run": "try", "cluster": "host"}

    assert refuse(owner=own, ports=frozenset({6443}), foreign=("/etc/kubernetes/admin.conf",), free=10) == []


@given(st.text())
def test_no_output_of_a_machine_breaks_the_reading(text: str) -> None:
    assert isinstance(facts.parse_facts(text, now=0.0), facts.HostFacts)
