"""Machines are deleted by the factory that made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.factories.delete import delete_machines
from lab.machines.record import MachineRecord, record_machine
from lab.run import Run
from lab.tests.containers_fakes import NAME, engine_of


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("try", {}, root=tmp_path)


def test_a_run_without_machines_has_none_to_delete(run: Run) -> None:
    delete_machines(run)
    delete_machines(run)


def test_down_deletes_containers_by_their_factory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    there = [NAME]
    engine_of(monkeypatch, there)
    record_machine(run, "machine1", MachineRecord(kind="container"))

    delete_machines(run)

    assert there == []
