"""`lab report build|summary|junit|allure`: results for people and programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.tests.results import NAME, PASSED, cell, main, steps


def test_the_command_line_s_exit_codes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(folder)]) == 0
    assert main(["judge", str(folder)]) == 1
    assert main(["retry", str(folder)]) == 1
    assert main(["judge", str(tmp_path / "nowhere")]) == 2
    passed = cell(tmp_path / "good", PASSED)
    assert main(["judge", str(passed)]) == 0
    assert main(["judge", str(passed / "cell.json")]) == 2, "a file is no folder of results"
    assert main(["build", str(passed), "--out", str(passed / "cell.json")]) == 3, "nor one to write pages to"
    (tmp_path / "plan.json").write_text(json.dumps({"cells": [{"name": "kind-a-1-2-smoke"}, {"name": NAME}]}))
    assert main(["judge", str(passed), "--plan", str(tmp_path / "plan.json")]) == 3, "the planned cell is unknown"
    assert main(["retry", str(passed)]) == 1, "what did not fail is not run again"
    disk = cell(tmp_path / "disk", outcome="fail", exit_code=4, journal=steps(("a", 0.0, 1.0, []), error="ENOSPC", kind="ProvisionError"))
    assert main(["retry", str(disk)]) == 0
    (tmp_path / "flakes.toml").write_text('[[flake]]\ntest = "a"\nowner = "@o"\nissue = "#1"\nexpires = 2020-01-01\n')
    capsys.readouterr()
    assert main(["summary", str(passed), "--flakes", str(tmp_path / "flakes.toml")]) == 1
    assert "a expired on 2020-01-01; @o owns it: #1" in capsys.readouterr().err
