"""`lab fork` checks its names before it takes a snapshot."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.tests.snapshot_fakes import ASKED, a_snapshot
from lab.run import Run
from lab.tests.cli_fakes import invoke


def test_names_are_checked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))
    Run.create("lab1", ASKED, root=tmp_path)
    a_snapshot(tmp_path)

    assert invoke("fork", "lab1", "--from", "one").code == 2
    assert invoke("fork", "lab2", "--from", "none").code == 2
    assert invoke("fork", "lab2", "--lab", "none").code == 2
    assert invoke("fork", "Lab 2", "--lab", "lab1").code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [".snapshots", "lab1", "scratch"]
