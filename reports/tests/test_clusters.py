"""One cause is one row, with since when it fails."""

from __future__ import annotations

from pathlib import Path

from reports.clusters import FailureCluster, make_clusters
from reports.report import ReportInputs, read_report
from reports.tests.results import PASSED, cell, failed

GONE = "NotReady: member{n} did not answer within {n}0 s at https://10.0.0.{n}:6443"


def clusters(*paths: Path) -> list[FailureCluster]:
    return make_clusters(read_report(ReportInputs(list(paths))))


def test_a_night_with_one_cause_in_45_cells_is_one_row(tmp_path: Path) -> None:
    cells = [cell(tmp_path, failed(GONE.format(n=n)), name=f"c{n}", outcome="fail", exit_code=1) for n in range(1, 46)]

    found = clusters(*cells)
    assert [(len(each.cells), len(each.failures)) for each in found] == [(45, 45)]


def test_different_causes_are_different_rows_the_widest_first(tmp_path: Path) -> None:
    cells = [
        cell(tmp_path, failed("AssertionError: the page is empty"), name="c0", outcome="fail", exit_code=1),
        *(cell(tmp_path, failed(GONE.format(n=n)), name=f"c{n}", outcome="fail", exit_code=1) for n in (1, 2)),
    ]

    assert [each.cells for each in clusters(*cells)] == [("c1", "c2"), ("c0",)]


def test_tests_of_one_cause_are_one_row(tmp_path: Path) -> None:
    path = cell(tmp_path, failed(GONE.format(n=1)), failed(GONE.format(n=2), name="test_x"), outcome="fail", exit_code=1)

    (found,) = clusters(path)
    assert len(found.names) == 2


def test_since_when_counts_runs_back_to_the_last_without_it(tmp_path: Path) -> None:
    broken = (failed("AssertionError: x"), "fail")
    nights = [
        cell(tmp_path / str(n), case, outcome=outcome, exit_code=outcome == "fail", run=str(n), started=1000.0 * n, ended=1000.0 * n + 60)
        for n, (case, outcome) in enumerate([(PASSED, "pass"), broken, broken], 1)
    ]
    passed_before = cell(tmp_path / "0", PASSED.replace("test_a", "test_b"), run="0", started=500.0, ended=560.0)

    (found,) = clusters(passed_before, *nights)
    assert (found.runs, found.since and found.since.run, found.good and found.good.run) == (2, "2", "1")
    assert found.since_text == "for 2 runs"


def test_a_first_run_has_no_earlier_run(tmp_path: Path) -> None:
    (found,) = clusters(cell(tmp_path, failed("AssertionError: x"), outcome="fail", exit_code=1))
    assert (found.runs, found.since, found.good) == (1, None, None)
    assert found.command.endswith("ARGS=--keep")
