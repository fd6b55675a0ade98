"""Compare a run with the previous one, and find tests that flip: pure functions of history rows."""

from __future__ import annotations

from pathlib import Path

from reports.changes import list_changes, list_flaky_tests
from reports.statistics import Rate
from reports.tests.results import LOST, PASSED, cell, reported, steps


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


def test_slower_is_reported_above_a_threshold(tmp_path: Path) -> None:
    paths = [
        cell(tmp_path / str(n), PASSED, run=str(n), started=1000.0 * n, ended=1000.0 * n + 60, journal=steps(("a", 0.0, 1.0, []), up=up))
        for n, up in ((1, 10.0), (2, 14.0))
    ]
    report = reported(*paths)

    (change,) = list_changes(report.history.rows[-1], report.row)

    assert (change.kind, change.detail) == ("slower", "up: 10 s → 14 s")
