"""Reports of complete and of damaged runs: damage is reported, nothing damaged is green, and nothing raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.run import Run
from lab.steps import StepOutcome
from reports import site
from reports.changes import list_changes, list_flaky_tests
from reports.evaluate import EvaluatedCell
from reports.flakes import FLAKES, read_flakes
from reports.matrix import make_matrix
from reports.report import Report, ReportInputs, read_report
from reports.statistics import Rate
from reports.tests.results import NAME, PASSED, cell, failed, junit, skipped, steps

DISK = steps(("a", 0.0, 1.0, []), error="a: No space left on device", kind="ProvisionError")
LOST = failed("AssertionError: assert 1 == 2", "E   AssertionError\n\nscenarios/test_join.py:1: AssertionError")


def reported(*paths: Path, **more: object) -> Report:
    return read_report(ReportInputs(paths, **more))  # type: ignore[arg-type]


def only(report: Report) -> EvaluatedCell:
    (one,) = report.cells
    return one


def test_a_cell_that_passed_is_green_and_nothing_is_noted(tmp_path: Path) -> None:
    report = reported(cell(tmp_path, PASSED, journal=steps(("a", 0.0, 1.0, [])), exit_code=0))

    one = only(report)
    assert (one.outcome, one.reason, one.notes, report.has_failed_cells) == (StepOutcome.PASS, "", (), False)
    assert [case.id for case in one.cases] == ["lab.up::a", "scenarios.test_join::test_a"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "half-written"),
        ('{"schema": 1, "na', "half-written"),
        ("[]", "another version"),
        ('{"schema": 2, "name": "x"}', "another version (schema 2; this one reads 1)"),
        ('{"schema": 1, "name": "x", "outcome": "green"}', "outcome"),
        ('{"schema": 1}', "name"),
        ("\x00\xff", "half-written"),
    ],
)
def test_a_cell_json_that_is_not_whole_is_shown_as_such(tmp_path: Path, content: str, says: str) -> None:
    path = cell(tmp_path, PASSED)
    (path / "cell.json").write_text(content)

    one = only(reported(path))

    assert one.outcome is StepOutcome.UNKNOWN
    assert says in one.reason
    assert one.notes
    assert [case.outcome for case in one.tests] == [StepOutcome.PASS], "what can be read is shown"


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


def test_a_lab_s_own_run_directory_is_a_cell(tmp_path: Path) -> None:
    run = Run.create("mine", {"lab": {"provider": "embedded"}, "karmada": None}, root=tmp_path)
    (run.path / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in steps(("a", 0.0, 1.0, []))))

    assert (only(reported(run.path)).outcome, only(reported(tmp_path)).cell.name) == (StepOutcome.PASS, "mine")


def test_a_run_directory_of_another_version_is_broken_and_shown(tmp_path: Path) -> None:
    run = Run.create("old", {}, root=tmp_path)
    (run.path / "run.json").write_text('{"schema": 7, "id": "old"}')

    assert "another version (schema 7" in only(reported(run.path)).reason


def test_nothing_at_all_is_a_report_too(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    report = reported(tmp_path / "empty")

    assert only(report).outcome is StepOutcome.UNKNOWN
    assert "contains no results" in report.notes[0]
    with pytest.raises(UsageError):
        reported(tmp_path / "not there")


def test_a_pass_that_contradicts_its_results_fails(tmp_path: Path) -> None:
    one = only(reported(cell(tmp_path, PASSED, LOST, outcome="pass", exit_code=0)))

    assert (one.outcome, one.reason) == (StepOutcome.FAIL, "1 test failed")
    assert "cell.json contradicts the results: it says pass, they do not" in one.notes


def test_what_collecting_was_killed_over_is_no_cell(tmp_path: Path) -> None:
    cell(tmp_path, PASSED)
    half = tmp_path / f".{NAME}.x1" / "cell"
    half.mkdir(parents=True)
    (half / "junit.xml").write_text(junit(PASSED))

    assert only(reported(tmp_path)).outcome is StepOutcome.PASS


def test_pages_below_the_results_are_none(tmp_path: Path) -> None:
    evidence = "evidence/20260101T000000-test_b/journal.jsonl"
    cell(tmp_path, LOST, outcome="fail", exit_code=1, files={evidence: ""})
    site.write_site(reported(tmp_path), tmp_path / "site")

    assert list((tmp_path / "site").rglob("journal.jsonl"))
    assert only(reported(tmp_path)).outcome is StepOutcome.FAIL


def test_a_pass_without_results_is_unknown(tmp_path: Path) -> None:
    one = only(reported(cell(tmp_path, outcome="pass", exit_code=0)))

    assert (one.outcome, one.reason) == (StepOutcome.UNKNOWN, "the cell left no results")
    assert "cell.json contradicts the results: it says pass, they do not" in one.notes


def test_a_test_that_skips_itself_as_unknown_is_unknown(tmp_path: Path) -> None:
    one = only(reported(cell(tmp_path, PASSED, skipped("unknown: no browser is here"))))

    assert [(case.outcome, case.message) for case in one.tests] == [(StepOutcome.PASS, ""), (StepOutcome.UNKNOWN, "no browser is here")]


# -- attempts and the plan -------------------------------------------------------------------------------------------------------------


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


def test_the_first_page_shows_the_last_attempt_and_the_cell_s_page_all(tmp_path: Path) -> None:
    log = {"logs/1-up.log": "it cannot be had: download refused\n  remedy: …\n", "evidence/2026-up/logs/etcd.log": "one\n"}
    first = cell(tmp_path / "1", files=log, outcome="unknown", exit_code=3, reason="not possible on this machine")
    second = cell(tmp_path / "2", PASSED, attempt=2, exit_code=0)

    site.write_site(reported(first, second), tmp_path / "site")

    index, page = (tmp_path / "site" / "index.html").read_text(), (tmp_path / "site" / "cells" / f"{NAME}.html").read_text()
    assert "attempt 2, after 1 failure of the infrastructure" in index
    assert "download refused" in page
    assert "infrastructure" in page
    assert "2026-up/logs/etcd.log" in page
    assert (tmp_path / "site" / "cells" / NAME / "2026-up" / "logs" / "etcd.log").read_text() == "one\n"


def test_an_interrupted_attempt_is_mentioned_and_does_not_fail_the_cell(tmp_path: Path) -> None:
    first = cell(tmp_path / "1", outcome="unknown", reason="interrupted", exit_code=143)
    report = reported(first, cell(tmp_path / "2", PASSED, attempt=2, exit_code=0))

    assert (only(report).outcome, only(report).reason) == (StepOutcome.PASS, "attempt 2, after 1 unknown")


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


# -- history -----------------------------------------------------------------------------------------------------------------------------


def test_several_runs_are_one_report_and_its_history(tmp_path: Path) -> None:
    paths = [
        cell(
            tmp_path / str(n), LOST if n == 2 else PASSED.replace("test_a", "test_b"), run=str(n), started=1000.0 * n, ended=1000.0 * n + 60
        )
        for n in (3, 1, 2)
    ]

    report = reported(*paths)

    assert (report.run, [row.run for row in report.history.rows]) == ("3", ["1", "2"])
    assert [(each.kind, each.test) for each in list_changes(report.history.rows[-1], report.row)] == [
        ("fixed", ""),
        ("fixed", "scenarios.test_join::test_b"),
    ]
    (one,) = list_flaky_tests([*report.history.rows, report.row])
    assert (one.flips, one.rate) == (2, Rate(1, 3))


def test_history_is_kept_in_a_file_and_a_run_reported_twice_is_one_line(tmp_path: Path) -> None:
    path = cell(tmp_path, PASSED)
    file = tmp_path / "history.jsonl"
    file.write_text('{"schema": 9}\n{"schema": 1, "ru\n')

    first = reported(path, history=file)
    first.kept.write(file)
    again = reported(path, history=file)

    assert "2 lines of the history could not be read" in first.notes[0]
    assert again.notes == ()
    assert again.history.rows == ()
    assert again.kept == first.kept.__class__(first.kept.rows)


def test_slower_is_reported_above_a_threshold(tmp_path: Path) -> None:
    paths = [
        cell(tmp_path / str(n), PASSED, run=str(n), started=1000.0 * n, ended=1000.0 * n + 60, journal=steps(("a", 0.0, 1.0, []), up=up))
        for n, up in ((1, 10.0), (2, 14.0))
    ]
    report = reported(*paths)

    (change,) = list_changes(report.history.rows[-1], report.row)

    assert (change.kind, change.detail) == ("slower", "up: 10 s → 14 s")


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (1, 10, 0.0179, 0.4042), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)]
)
def test_the_interval_is_wilson_s(hits: int, of: int, low: float, high: float) -> None:
    assert Rate(hits, of).interval == pytest.approx((low, high), abs=5e-5)


# -- known flakes ------------------------------------------------------------------------------------------------------------------------

FLAKE = '[[flake]]\ntest = "scenarios.test_join::*"\nowner = "@mala"\nissue = "#41"\nexpires = 2026-06-30\n'


def flakes(tmp_path: Path, text: str = FLAKE) -> Path:
    (tmp_path / "flakes.toml").write_text(text)
    return tmp_path / "flakes.toml"


def test_a_known_flake_makes_a_cell_unknown_until_its_day(tmp_path: Path) -> None:
    path = cell(tmp_path, PASSED, LOST, outcome="fail", exit_code=1)
    before, after = (datetime(2026, 6, day, 12, tzinfo=UTC).timestamp() for day in (29, 30))

    early = reported(path, flakes=flakes(tmp_path), now=before)
    late = reported(path, flakes=flakes(tmp_path), now=after)

    assert (only(early).outcome, early.has_failed_cells, early.has_unknown_cells) == (StepOutcome.UNKNOWN, False, False)
    assert "only known flakes failed: scenarios.test_join::* (@mala, #41, until 2026-06-30)" in only(early).reason
    assert (only(late).outcome, late.has_failed_cells) == (StepOutcome.FAIL, True)


def test_an_expired_flake_fails_a_run_in_which_everything_passed(tmp_path: Path) -> None:
    report = reported(cell(tmp_path, PASSED), flakes=flakes(tmp_path), now=datetime(2027, 1, 1, tzinfo=UTC).timestamp())

    assert (only(report).outcome, report.has_failed_cells) == (StepOutcome.PASS, True)


def test_a_flake_covers_only_its_cells_and_texts(tmp_path: Path) -> None:
    listed = FLAKE + 'cells = "kind-*"\n'
    path = cell(tmp_path, LOST, outcome="fail", exit_code=1)

    assert only(reported(path, flakes=flakes(tmp_path, listed), now=0.1)).outcome is StepOutcome.FAIL
    assert only(reported(path, flakes=flakes(tmp_path, FLAKE + 'says = "time"\n'), now=0.1)).outcome is StepOutcome.FAIL
    assert only(reported(path, flakes=flakes(tmp_path, FLAKE + 'says = "1 == 2"\n'), now=0.1)).outcome is StepOutcome.UNKNOWN


@pytest.mark.parametrize(
    "text", [FLAKE.replace("owner", "oner"), FLAKE.replace("2026-06-30", '"soon"'), "[[flake", "flak = 1\n", FLAKE + 'says = "("\n']
)
def test_a_list_that_lacks_an_owner_or_a_day_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as error:
        read_flakes(flakes(tmp_path, text), datetime.now(UTC).date())
    assert "flakes.toml" in str(error.value)


def test_this_project_s_own_list_is_valid_and_none_has_expired() -> None:
    assert read_flakes(FLAKES, datetime.now(UTC).date()).expired_entries == ()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([5.0], "first measurement"),
        ([4.0, 6.0, 10.0], "+100 % against the median of 2 runs before"),
        ([4.0, 4.0], "as the median of 1 run before"),
        ([0.0, 5.0], "1 run before"),
    ],
)
def test_a_trend_compares_with_the_median_of_earlier_runs(values: list[float], text: str) -> None:
    assert site.compare_with_median([(float(number), value) for number, value in enumerate(values)]) == text
