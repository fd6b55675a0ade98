"""`lab snapshot list` and `delete`: also of one that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployers.tests.snapshot_fakes import a_snapshot
from lab.tests.cli_fakes import invoke


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))
    return tmp_path


def test_a_damaged_snapshot_is_listed_and_can_be_deleted(root: Path) -> None:
    a_snapshot(root, "good")
    (a_snapshot(root, "torn").path / "snapshot.json").unlink()

    listed = json.loads(invoke("snapshot", "list", "--output", "json").out)["snapshots"]

    assert [(each["name"], "problem" in each) for each in listed] == [("good", False), ("torn", True)]
    assert invoke("snapshot", "list").code == 0
    assert invoke("snapshot", "delete", "torn").code == 0
    assert invoke("snapshot", "delete", "torn").code == 2


@pytest.mark.parametrize("verb", [("restore", "none"), ("save", "one")])
def test_a_lab_that_does_not_exist_is_a_usage_error(root: Path, verb: tuple[str, str]) -> None:
    assert invoke("snapshot", *verb, "--lab", "none").code == 2
    assert not list(root.iterdir())
