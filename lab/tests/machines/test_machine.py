"""What every machine can do."""

from __future__ import annotations

from pathlib import Path

from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.machines.scripted import Scripted


def test_both_are_machines(tmp_path: Path) -> None:
    machines: list[Machine] = [Local(tmp_path), Scripted()]

    assert [machine.name for machine in machines] == ["local", "scripted"]
