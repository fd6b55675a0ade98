"""The results of one cell of the matrix on disk: the folder that a job uploads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.run import Run
from lab.steps import StepOutcome
from reports import site
from reports.tests.results import LOST, NAME, PASSED, cell, junit, only, reported, steps


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


def test_a_lab_s_own_run_directory_is_a_cell(tmp_path: Path) -> None:
    run = Run.create("mine", {"lab": {"provider": "embedded"}, "karmada": None}, root=tmp_path)
    (run.path / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in steps(("a", 0.0, 1.0, []))))

    assert (only(reported(run.path)).outcome, only(reported(tmp_path)).cell.name) == (StepOutcome.PASS, "mine")


def test_a_run_directory_of_another_version_is_broken_and_shown(tmp_path: Path) -> None:
    run = Run.create("old", {}, root=tmp_path)
    (run.path / "run.json").write_text('{"schema": 7, "id": "old"}')

    assert "another version (schema 7" in only(reported(run.path)).reason


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
