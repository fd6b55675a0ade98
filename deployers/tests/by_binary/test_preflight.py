"""What by_binary cannot carry out is refused before anything is created."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.by_binary import balancer
from deployers.plane import external
from deployers.tests.by_binary_fakes import found

THREE = {"karmada-apiserver": {"replicas": 3}}


def test_nothing_is_in_the_way_of_the_default() -> None:
    assert found() == []


@pytest.mark.parametrize("name", ["karmada-webhook", "karmada-aggregated-apiserver"])
def test_replicas_that_need_a_load_balancer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balancer, "find_haproxy", lambda: Path("/usr/sbin/haproxy"))
    two = {name: {"replicas": 2}}

    assert found(components=two) == [
        f"components.{name}.replicas: several need by_binary.external_name: the lab then runs a balancer before them"
    ]
    assert found(components=two, by_binary={"external_name": "karmada.example.test"}) == []


def test_replicas_that_nothing_stands_before() -> None:
    (said,) = found(components={"karmada-search": {"replicas": 2}}, addons={"search": True})
    assert said.startswith("components.karmada-search.replicas: it elects no leader")


@pytest.mark.parametrize("name", ["kube-controller-manager", "karmada-controller-manager", "karmada-scheduler"])
def test_replicas_of_what_elects_a_leader_are_fine(name: str) -> None:
    assert found(components={name: {"replicas": 2}}) == []


def test_several_api_servers_need_a_name_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balancer, "find_haproxy", lambda: Path("/usr/sbin/haproxy"))

    assert found(components=THREE, by_binary={"external_name": "karmada.example.test"}) == []
    assert "3 instances, and no address before them; give by_binary.external_name" in found(components=THREE)[0]


def test_api_servers_of_the_lab_cannot_use_an_external_load_balancer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "balancer_errors", lambda _: [])

    assert (
        "which lb.example.org:6443 cannot know; give by_binary.external_name"
        in found(components=THREE, load_balancer="lb.example.org:6443")[0]
    )


def test_dropping_a_flag_that_is_not_there_is_a_mistake_and_says_what_there_is() -> None:
    (said,) = found(components={"etcd": {"without": ["fsync"]}})

    assert said.startswith("components.etcd.without[0]: etcd is not started with --fsync")
    assert "unsafe-no-fsync" in said


def test_a_flag_of_the_profile_can_be_dropped() -> None:
    assert found(profile="e2e", components={"karmada-webhook": {"without": ["allow-no-execute-taint-policy"]}}) == []
