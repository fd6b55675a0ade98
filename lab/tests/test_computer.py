"""What this computer is."""

from __future__ import annotations

from pathlib import Path

from lab.computer import Computer


def test_this_computer_answers_without_raising(tmp_path: Path) -> None:
    computer = Computer()

    assert computer.read("/proc/self/status")
    assert computer.read("/nowhere") is None
    assert not computer.opens("/nowhere")
    assert computer.which("no-such-program") is None
    assert computer.free(tmp_path / "not" / "there") > 0
    assert computer.reach("file:///nowhere") != ""
