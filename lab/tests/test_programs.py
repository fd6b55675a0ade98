"""The programs of a run on this computer and on machines; machines that do not answer are named."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab import component
from lab import programs as programs_module
from lab.errors import ProvisionError
from lab.programs import find_program_owner, read_programs
from lab.run import Run
from lab.supervisor.client import Supervisor


def state(*, runs: bool = True) -> Any:
    return SimpleNamespace(runs=runs)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    made = Run.create("a", {"lab": {}}, root=tmp_path)
    for name in ("m1", "m2"):
        made.record(programs_module.OWNERS, name, {"root": "/there"})

    def owner(_: Run, machine: str) -> Any:
        if machine == "m2":
            raise ProvisionError("m2 does not answer")
        return SimpleNamespace(programs=lambda: {"karmada/etcd": state(), "karmada/haproxy": state(runs=False)})

    monkeypatch.setattr(programs_module, "find_owner", owner)
    monkeypatch.setattr(Supervisor, "status", lambda _: SimpleNamespace(programs={"host/etcd": state()}))
    return made


def test_programs_of_all_machines_are_there_and_silent_machines_are_named(run: Run) -> None:
    found = read_programs(run)

    assert found.running == {"host/etcd", "karmada/etcd"}
    assert found.places == {"host/etcd": "", "karmada/etcd": "m1", "karmada/haproxy": "m1"}
    assert found.unreached == {"m2": "m2 does not answer"}
    assert found.supervised


def test_the_owner_of_a_program_is_that_of_the_machine_it_was_started_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(programs_module, "find_owner", lambda _, machine: asked.append(machine))
    run.record(component.HEALTH, component.record_name("karmada/etcd"), {"name": "karmada/etcd", "ready": [], "machine": "m1"})

    for program in ("karmada/etcd", "never/started"):
        find_program_owner(run, program)
    assert asked == ["m1", ""]
