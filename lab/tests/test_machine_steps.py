"""The machines of a lab: which steps make them, and what is recorded before a host is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.machine_steps import machine_software, make_machine_steps
from lab.machines.record import read_machines
from lab.run import Run
from lab.spec import LabSpec, parse
from lab.steps import compute_waves


def spec_with(**machines: object) -> LabSpec:
    return parse(LabSpec, {"members": [{"name": "m"}], "machines": machines}, source="test")


def make_run(tmp_path: Path) -> Run:
    return Run.create("a", {"lab": {}}, root=tmp_path)


def test_a_lab_without_machines_makes_none(tmp_path: Path) -> None:
    assert make_machine_steps(make_run(tmp_path), parse(LabSpec, {"members": []}, source="test"), {}) == []


def test_hosts_are_recorded_before_they_are_logged_in_to(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    hosts = [{"name": "a", "address": "10.0.0.5", "port": 2222, "user": "me", "sudo": True}, {"name": "b", "address": "10.0.0.6"}]

    steps = make_machine_steps(run, spec_with(hosts=hosts), {})

    assert [step.name for step in steps] == ["machines/a", "machines/b"]
    records = read_machines(run)
    assert (records["a"].kind, records["a"].port, records["a"].user, records["a"].sudo) == ("ssh", 2222, "me", True)


@pytest.mark.parametrize("kind", ["namespace", "container", "vm"])
def test_machines_that_are_made_here_are_steps_named_after_them(tmp_path: Path, kind: str) -> None:
    spec = spec_with(kind=kind, count=2)

    waves = compute_waves(make_machine_steps(make_run(tmp_path), spec, {}))

    assert [step.name for step in waves[-1]] == ["machines/machine1", "machines/machine2"]


def test_only_containers_need_assets() -> None:
    assert machine_software(spec_with(kind="container", count=1)) != []
    assert machine_software(spec_with(kind="namespace", count=1)) == []
