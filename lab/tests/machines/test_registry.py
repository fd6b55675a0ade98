from __future__ import annotations

from pathlib import Path

import pytest

from lab.machines.local import Local
from lab.machines.registry import open_machine
from lab.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("blue", {}, root=tmp_path)


def test_this_computer_needs_no_record(run: Run) -> None:
    assert isinstance(open_machine(run, ""), Local)
    assert isinstance(open_machine(run, "local"), Local)
