"""The matrix as a table: one row per suite and version, one column per provider and deployer."""

from __future__ import annotations

import json
from pathlib import Path

from lab.steps import StepOutcome
from reports.matrix import make_matrix
from reports.tests.results import NAME, PASSED, cell, only, reported


def test_two_cells_of_one_place_are_both_shown(tmp_path: Path) -> None:
    report = reported(cell(tmp_path / "1", PASSED), cell(tmp_path / "2", PASSED, name="another"))

    drawn = make_matrix(report)

    shown = [each for row in drawn.rows for each, _ in row.cells if each]
    assert sorted(each.cell.name for each in (*shown, *drawn.loose)) == ["another", NAME]


def test_a_broken_cell_that_was_planned_has_its_place_in_the_matrix(tmp_path: Path) -> None:
    parts = {"provider": "kind", "deployer": "by_chart", "release": "1", "kubernetes": "2", "suite": "core"}
    (tmp_path / "plan.json").write_text(json.dumps({"cells": [{"name": "k", **parts}]}))
    (cell(tmp_path, PASSED, name="k") / "cell.json").write_text("{")

    report = reported(tmp_path / "k", plan=tmp_path / "plan.json")

    assert (only(report).outcome, only(report).cell.parts) == (StepOutcome.UNKNOWN, tuple(parts.values()))
    assert report.has_unknown_cells
