from __future__ import annotations

from pathlib import Path

import pytest

import lab
from lab.errors import UsageError
from lab.factories.namespace.factory import list_hidden, make_machines, make_program
from lab.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("blue", {}, root=tmp_path)


def test_every_machine_needs_the_network_and_no_other_machine(run: Run) -> None:
    steps = make_machines(run, ["a", "b"])

    assert [(step.name, step.needs) for step in steps] == [
        ("machines/network", ()),
        ("machines/a", ("machines/network",)),
        ("machines/b", ("machines/network",)),
    ]
    assert not run.records("machines")


def test_more_machines_than_addresses_are_refused(run: Run) -> None:
    with pytest.raises(UsageError):
        make_machines(run, [f"m{number}" for number in range(201)])


def test_a_machine_is_a_program_of_the_run(run: Run) -> None:
    program = make_program(run, "a")

    assert program.name == "machines/a"
    assert program.argv[-1] == str(run.path / "data" / "machines" / "a")


def test_a_machine_sees_neither_the_project_nor_the_runs(run: Run) -> None:
    hidden = [Path(path) for path in list_hidden(run)]

    for path in (Path(lab.__file__), run.path):
        assert any(path.is_relative_to(each) for each in hidden)
