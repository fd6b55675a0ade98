"""Execute the steps of one job in order, as a runner would: conditions, environment, outputs, local actions and artifacts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from scenarios.ci.rehearsal.runner import JobRunner
from scenarios.ci.rehearsal.workflow import ROOT
from scenarios.tests.ci.rehearsal.rehearsal_fakes import GITHUB


@pytest.mark.parametrize(
    ("statuses", "ran", "result"),
    [
        ({}, "up conformance test collect down", "success"),
        ({"up": 4}, "up collect down again", "success"),
        ({"up": 4, "again": 4}, "up collect down again", "failure"),
        ({"conformance": 1, "again": 1}, "up conformance test collect down again", "failure"),
        ({"test": 1}, "up conformance test collect down again", "success"),
        ({"down": 7}, "up conformance test collect down", "failure"),
        ({"test": 1, "down": 7}, "up conformance test collect down again", "failure"),
    ],
)
def test_a_cell_ends_as_its_second_attempt_did_where_there_was_one(tmp_path: Path, statuses: dict[str, int], ran: str, result: str) -> None:
    shutil.copytree(ROOT / ".github" / "actions", tmp_path / ".github" / "actions")
    seen: list[str] = []

    def execute(_argv: list[str], env: Mapping[str, str], _log: Path) -> int:
        if "ARGS" not in env:
            return 0  # setup, doctor
        seen.append(env["ARGS"].split()[-1].removeprefix("--"))
        (tmp_path / "_cells").mkdir(exist_ok=True)
        return statuses.get(seen[-1], 0)

    runner = JobRunner(tmp_path / "store", {"github": GITHUB, "runner": {}}, execute, tmp_path)
    step = {"uses": "./.github/actions/cell", "with": {"cell": "a-b-c-d-e", "provider": "a"}}

    assert runner.run([step], "cell") == result
    assert seen == ran.split()
    assert (tmp_path / "store" / "artifacts" / "cell-a-b-c-d-e").is_dir()
