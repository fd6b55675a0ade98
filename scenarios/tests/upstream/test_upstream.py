"""Upstream's suite: what is read of ginkgo, what is run, and what a run comes to. Nothing is started."""

from __future__ import annotations

from lab.steps import StepOutcome
from scenarios.tests.upstream.upstream_fakes import spec
from scenarios.upstream.verdict import SpecCase


def test_a_spec_is_a_case_under_its_own_name_whatever_is_in_it() -> None:
    from _pytest.junitxml import mangle_test_address

    from scenarios.test_upstream import make_report

    odd = spec("[a] with a::b [c] d")
    reports = [make_report(SpecCase(odd, outcome, 1.5, "why", "text")) for outcome in StepOutcome]

    assert mangle_test_address(str(reports[0].nodeid)) == ["scenarios.upstream.search", "(a) with a:b (c) d"]
    assert {outcome: report.outcome for outcome, report in zip(StepOutcome, reports, strict=True)} == {
        StepOutcome.PASS: "passed",
        StepOutcome.FAIL: "failed",
        StepOutcome.SKIP: "skipped",
        StepOutcome.UNKNOWN: "skipped",
    }
    unknown = next(report for outcome, report in zip(StepOutcome, reports, strict=True) if outcome is StepOutcome.UNKNOWN)
    assert isinstance(unknown.longrepr, tuple)
    assert unknown.longrepr[2] == "Skipped: unknown: why"
