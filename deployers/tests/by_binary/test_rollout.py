"""The order in which programs are replaced by those of another release, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.by_binary.installation import BinaryInstallation, assets_by_component, make_layout
from deployers.by_binary.rollout import rollout_steps
from deployers.members import agent
from deployers.plane import objects
from deployers.tests.control_plane_fakes import a_karmada
from lab import component, ports
from lab.tests.assets_fakes import Anything


@pytest.fixture(autouse=True)
def reserved_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")


def order_of(tmp_path: Path, table: dict[str, Any] | None = None, *, back: bool = False) -> list[str]:
    karmada = a_karmada(tmp_path, table)
    steps = rollout_steps(BinaryInstallation(karmada, make_layout(karmada, Anything())), back=back)
    assert [step.needs for step in steps] == [(), *((step.name,) for step in steps[:-1])], "each waits for the one before"
    return [step.name for step in steps]


def test_crds_come_first_agents_last_and_back_is_the_reverse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "agent_runs", lambda karmada, member: True)
    everything = {"addons": {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True}}
    forward = [
        "crds",
        "karmada-webhook",
        "karmada-aggregated-apiserver",
        "karmada-controller-manager",
        "karmada-scheduler",
        "karmada-descheduler",
        "karmada-search",
        "karmada-metrics-adapter",
        "karmada-scheduler-estimator",
        "karmada-agent",
    ]

    assert order_of(tmp_path / "a", everything) == forward
    assert order_of(tmp_path / "b", everything, back=True) == forward[::-1]


def test_only_what_is_there_is_exchanged(tmp_path: Path) -> None:
    assert order_of(tmp_path) == [
        "crds",
        *(f"karmada-{name}" for name in ("webhook", "aggregated-apiserver", "controller-manager", "scheduler")),
    ]


@pytest.mark.parametrize("back", [False, True])
def test_controllers_start_when_discovery_is_current_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: bool) -> None:
    karmada = a_karmada(tmp_path)
    did: list[str] = []
    monkeypatch.setattr(component, "replace_component", lambda part, *_, **__: did.append(part.name))
    monkeypatch.setattr(BinaryInstallation, "cluster_api", lambda _: did.append("answers"))
    monkeypatch.setattr(BinaryInstallation, "api", None)
    monkeypatch.setattr(objects, "wait_discovered", lambda _, group, version: did.append(f"{group}/{version}"))
    steps = {step.name: step for step in rollout_steps(BinaryInstallation(karmada, make_layout(karmada, Anything())), back=back)}

    steps["karmada-aggregated-apiserver"].action()

    assert did == ["karmada/karmada-aggregated-apiserver", "answers", "cluster.karmada.io/v1alpha1"]


@pytest.mark.parametrize("back", [False, True])
def test_on_machines_each_is_a_step_and_hooks_follow_the_last_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: bool) -> None:
    karmada = a_karmada(tmp_path, {"by_binary": {"machines": ["a", "b"]}, "addons": {"search": True}})
    did: list[str] = []
    monkeypatch.setattr(component, "replace_component", lambda part, *_, **__: did.append(part.name.removeprefix("karmada/")))
    monkeypatch.setattr(BinaryInstallation, "bring", lambda *_: None)
    monkeypatch.setattr(BinaryInstallation, "webhooks", lambda _: did.append("hooks"))
    software = {name: tmp_path / name for name in assets_by_component(karmada.spec)}
    steps = rollout_steps(BinaryInstallation(karmada, make_layout(karmada, software)), back=back)
    names = [step.name for step in steps]
    kinds = [f"karmada-{name}" for name in ("webhook", "aggregated-apiserver", "controller-manager", "scheduler")]
    each = [f"{kind}@{machine}" for kind in (kinds[::-1] if back else kinds) for machine in "ab"]

    assert [name for name in names if name in each] == each
    assert {*names} - {*each} == {"crds", "karmada-search@a"}
    for step in steps:
        if step.name.startswith("karmada-webhook"):
            step.action()
    assert did == (["hooks", "karmada-webhook", "karmada-webhook-2"] if back else ["karmada-webhook", "karmada-webhook-2", "hooks"])
