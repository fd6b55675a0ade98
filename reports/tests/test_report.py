"""Reports of complete and of damaged runs: damage is reported, nothing damaged is green, and nothing raises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.steps import StepOutcome
from reports.tests.results import NAME, PASSED, cell, junit, only, reported, steps


def test_a_cell_that_passed_is_green_and_nothing_is_noted(tmp_path: Path) -> None:
    report = reported(cell(tmp_path, PASSED, journal=steps(("a", 0.0, 1.0, [])), exit_code=0))

    one = only(report)
    assert (one.outcome, one.reason, one.notes, report.has_failed_cells) == (StepOutcome.PASS, "", (), False)
    assert [case.id for case in one.cases] == ["lab.up::a", "scenarios.test_join::test_a"]


def test_a_torn_junit_is_never_green(tmp_path: Path) -> None:
    path = cell(tmp_path, exit_code=0)
    (path / "junit.xml").write_text(junit(PASSED)[:-30])

    one = only(reported(path))

    assert one.outcome is StepOutcome.UNKNOWN
    assert "junit.xml is not whole" in one.reason


def test_an_interrupted_job_leaves_what_it_had(tmp_path: Path) -> None:
    path = tmp_path / "half"
    path.mkdir()
    (path / "journal.jsonl").write_text('{"at": 1.0, "event": "begin", "step": "member1/etcd", "needs": []}\n{"at": 2.0, "ev')

    one = only(reported(path))

    assert (one.outcome, one.cell.name) == (StepOutcome.UNKNOWN, "half")
    assert "the job ended before its results were collected" in one.reason
    assert [(case.name, case.outcome) for case in one.cases] == [("member1/etcd", StepOutcome.UNKNOWN)]


def test_nothing_at_all_is_a_report_too(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    report = reported(tmp_path / "empty")

    assert only(report).outcome is StepOutcome.UNKNOWN
    assert "contains no results" in report.notes[0]
    with pytest.raises(UsageError):
        reported(tmp_path / "not there")


def test_what_was_planned_and_did_not_come_is_unknown_and_what_was_left_out_has_its_reason(tmp_path: Path) -> None:
    parts = dict(zip(("provider", "deployer", "release", "kubernetes", "suite"), ("kind", "by_chart", "1", "2", "core"), strict=True))
    plan = {"cells": [{"name": NAME}, {"name": "k", **parts}], "left_out": [{"name": "l", **parts, "why": ["it needs PODS"]}]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))

    report = reported(cell(tmp_path, PASSED), plan=tmp_path / "plan.json")

    missing = next(each for each in report.cells if each.cell.name == "k")
    assert (missing.outcome, missing.reason) == (StepOutcome.UNKNOWN, "planned, but no results arrived")
    assert [(left.name, left.why) for left in report.left_out] == [("l", ("it needs PODS",))]


def test_a_run_without_its_plan_does_not_pass(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{")

    report = reported(cell(tmp_path, PASSED), plan=tmp_path / "plan.json")

    assert "could not be read" in report.notes[0]
    assert report.has_unknown_cells
    assert not report.has_failed_cells
