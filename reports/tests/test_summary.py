"""`lab report summary`: a run in Markdown for the summary of a CI job: verdict first, within GitHub's limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.report import Report, ReportInputs, read_report
from reports.summary import MOST, format_summary
from reports.tests.results import cell


@pytest.fixture
def report(folder: Path) -> Report:
    return read_report(ReportInputs([folder]))


def test_the_summary_begins_with_the_verdict_and_is_no_markup_of_others(report: Report) -> None:
    text = format_summary(report)

    assert text.startswith("## ❌ 3 cells: 1 failed, 2 unknown\n")
    assert "| ❔ unknown | kind-by\\_chart-1-2-core |  |  | 1 min 0 s | no KVM \\| here |" in text
    assert "**product** · `scenarios.test_join::test_b`" in text
    assert "assert 1 \\| 2 &lt;b&gt;" in text
    assert "cell.json is half-written" in text


def test_a_summary_fits_the_limit_of_a_job(tmp_path: Path) -> None:
    cells = [cell(tmp_path, name=f"c{n}", outcome="unknown", reason="x" * 480) for n in range(2500)]

    text = format_summary(read_report(ReportInputs(cells)))

    assert len(text.encode()) <= MOST + 100
    assert text.endswith("see the pages of the report.\n")
