"""`lab report junit`: one JUnit file of all cells: one suite per cell, with its tests and the steps of the lab as cases."""

from __future__ import annotations

from pathlib import Path

import pytest
from junitparser import JUnitXml

from reports import junit
from reports.report import Report, ReportInputs, read_report
from reports.tests.results import NAME


@pytest.fixture
def report(folder: Path) -> Report:
    return read_report(ReportInputs([folder]))


def test_junit_has_a_suite_a_cell_with_steps_and_tests_as_cases(report: Report, tmp_path: Path) -> None:
    junit.write_file(report, tmp_path / "all.xml")

    suites = {suite.name: suite for suite in JUnitXml.fromfile(str(tmp_path / "all.xml"))}
    assert set(suites) == {NAME, "kind-by_chart-1-2-core", "torn"}
    cases = {case.name: case for case in suites[NAME]}
    assert {"member1/etcd", "member1", "test_a", "test_b", "test_c", "test_d"} == set(cases)
    assert cases["member1/etcd"].time == 2.0
    assert cases["test_b"].classname == f"{NAME}.scenarios.test_join"
    assert [(type(each).__name__, each.type) for each in cases["test_b"].result] == [("Failure", "product")]
    assert [each.message for each in cases["test_d"].result] == ["unknown: no kernel"]
    assert suites[NAME].failures == 1
    (whole,) = suites["kind-by_chart-1-2-core"]
    assert [each.message for each in whole.result] == ["unknown: no KVM | here"]
