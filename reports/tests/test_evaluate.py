"""Evaluate one cell: its cases, its bring-bring_ups, its failures with their owners, and its outcome."""

from __future__ import annotations

from pathlib import Path

from lab.steps import StepOutcome
from reports.tests.results import LOST, PASSED, cell, only, reported, skipped, steps

DISK = steps(("a", 0.0, 1.0, []), error="a: No space left on device", kind="ProvisionError")


def test_a_pass_that_contradicts_its_results_fails(tmp_path: Path) -> None:
    one = only(reported(cell(tmp_path, PASSED, LOST, outcome="pass", exit_code=0)))

    assert (one.outcome, one.reason) == (StepOutcome.FAIL, "1 test failed")
    assert "cell.json contradicts the results: it says pass, they do not" in one.notes


def test_a_pass_without_results_is_unknown(tmp_path: Path) -> None:
    one = only(reported(cell(tmp_path, outcome="pass", exit_code=0)))

    assert (one.outcome, one.reason) == (StepOutcome.UNKNOWN, "the cell left no results")
    assert "cell.json contradicts the results: it says pass, they do not" in one.notes


def test_a_test_that_skips_itself_as_unknown_is_unknown(tmp_path: Path) -> None:
    one = only(reported(cell(tmp_path, PASSED, skipped("unknown: no browser is here"))))

    assert [(case.outcome, case.message) for case in one.tests] == [(StepOutcome.PASS, ""), (StepOutcome.UNKNOWN, "no browser is here")]


def test_a_retried_infrastructure_failure_is_green_with_a_reason(tmp_path: Path) -> None:
    first = cell(tmp_path / "1", outcome="fail", exit_code=4, journal=DISK)
    second = cell(tmp_path / "2", PASSED, attempt=2, exit_code=0)

    one = only(reported(first, second))

    assert (one.outcome, one.reason) == (StepOutcome.PASS, "attempt 2, after 1 failure of the infrastructure")
    assert [each.may_retry for each in one.before] == [True]


def test_any_other_failure_stays_one_however_often_it_is_run(tmp_path: Path) -> None:
    first = cell(tmp_path / "1", LOST, outcome="fail", exit_code=1)
    second = cell(tmp_path / "2", PASSED, attempt=2, exit_code=0)

    one = only(reported(first, second))

    assert (one.outcome, one.reason) == (StepOutcome.FAIL, "attempt 1 failed (product): only infrastructure is retried")


def test_two_results_of_one_cell_are_one_cell_with_a_note(tmp_path: Path) -> None:
    report = reported(cell(tmp_path / "1", PASSED), cell(tmp_path / "2", PASSED, started=1001.0))

    assert "2 results" in only(report).notes[0]
    assert (only(report).outcome, only(report).reason) == (StepOutcome.PASS, "")


def test_an_interrupted_attempt_is_mentioned_and_does_not_fail_the_cell(tmp_path: Path) -> None:
    first = cell(tmp_path / "1", outcome="unknown", reason="interrupted", exit_code=143)
    report = reported(first, cell(tmp_path / "2", PASSED, attempt=2, exit_code=0))

    assert (only(report).outcome, only(report).reason) == (StepOutcome.PASS, "attempt 2, after 1 unknown")
