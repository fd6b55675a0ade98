"""Where the agent of a pull member runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deployers.karmada import Karmada
from deployers.members.agent import AGENT_MACHINES, agent_component, find_agent_place
from deployers.spec import KarmadaSpec
from deployers.tests.member_fakes import Fixture, two_sides
from lab import ports
from lab.cluster import Lab
from lab.run import Run
from lab.spec import LabSpec


def a_lab(folder: Path, *machines: str) -> Karmada:
    """Return a control plane with a member on machine4, and one on this computer."""
    members = [{"name": "member1", "machine": "machine4", "mode": "pull"}, {"name": "member2", "mode": "pull"}]
    lab = LabSpec.model_validate({"members": members, "machines": {"kind": "namespace", "count": 4}})
    spec = KarmadaSpec.model_validate({"by_binary": {"machines": machines}})
    asked: dict[str, Any] = {"lab": lab.model_dump(mode="json"), "karmada": spec.model_dump(mode="json")}
    return Karmada.open(Lab.open(Run.create("a", asked, root=folder)))


@pytest.mark.parametrize(("member", "machine"), [("member1", "machine4"), ("member2", "")])
def test_an_agent_runs_beside_its_member_where_karmada_is_reached_from_there(tmp_path: Path, member: str, machine: str) -> None:
    assert find_agent_place(a_lab(tmp_path, "machine1"), member).name == machine


def test_a_karmada_of_this_computer_has_its_agents_here(tmp_path: Path) -> None:
    assert find_agent_place(a_lab(tmp_path), "member1").is_local


def test_an_agent_runs_on_the_host_that_its_member_was_joined_through(tmp_path: Path) -> None:
    karmada = a_lab(tmp_path, "machine1")
    karmada.run.record(AGENT_MACHINES, "member2", {"machine": "member2-host"})

    assert find_agent_place(karmada, "member2").name == "member2-host"


@pytest.fixture(autouse=True)
def reserved_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")


@pytest.fixture
def sides(tmp_path: Path) -> Fixture:
    return two_sides(tmp_path)


def test_the_agent_has_the_feature_gates_of_the_control_planes_profile(sides: Fixture) -> None:
    run = sides.run.ask({**sides.run.asked, "karmada": {"profile": "e2e"}})

    flags = agent_component(replace(sides, run=run), sides.member, flags={"v": "4"}).flags

    assert (flags["feature-gates"], flags["v"]) == ("CustomizedClusterResourceModeling=true,MultiClusterService=true", "4")
    assert "feature-gates" not in agent_component(sides, sides.member).flags


def test_the_agent_is_what_register_would_have_deployed_on_addresses_of_this_computer(sides: Fixture) -> None:
    program = agent_component(sides, sides.member, flags={"v": "4", "controllers": None})

    health, metrics = program.ports["health"], program.ports["metrics"]
    assert program.argv == (
        "/software/karmada-agent",
        "--cluster-api-endpoint=https://member1.test",
        "--cluster-name=member1",
        "--cluster-namespace=karmada-cluster",
        "--cluster-status-update-frequency=10s",
        f"--health-probe-bind-address=127.0.0.1:{health}",
        f"--karmada-kubeconfig={sides.run.path}/data/member1/karmada-agent/karmada-kubeconfig.yaml",
        f"--kubeconfig={sides.run.path}/kubeconfig/member1.yaml",
        "--leader-elect-resource-namespace=karmada-system",
        f"--metrics-bind-address=127.0.0.1:{metrics}",
        "--v=4",
    )
    assert health != metrics
