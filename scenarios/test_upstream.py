"""Karmada's own end-to-end suite on this lab: each spec is a test case beside those of this project.

What is not run here and what is known to fail is data (`scenarios/upstream/known.toml`), each with its reason and owner.
"""

from __future__ import annotations

import contextlib
from typing import Literal

import pytest

from deployers.karmada import Karmada
from lab.errors import UsageError
from lab.steps import StepOutcome
from lab.terminal.text import say
from scenarios.upstream import run
from scenarios.upstream.fixtures import missing_parts
from scenarios.upstream.verdict import SpecCase

pytestmark = [pytest.mark.thorough, pytest.mark.breaks]


BRACKETS = str.maketrans("[]", "()")
"""pytest takes what is in square brackets for parameters, and does not give all of it back."""


def test_upstreams_own_suite(karmada: Karmada, pytestconfig: pytest.Config) -> None:
    if lacks := missing_parts(karmada):
        pytest.skip(f"needs a lab like that of scenarios/upstream.toml; this one lacks {', '.join(lacks)}")
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            done = run.run_suite(
                karmada, focus=pytestconfig.getoption("lab_focus") or "", artifacts=pytestconfig.getoption("lab_artifacts"), tell=say
            )
    except UsageError as error:
        pytest.exit(str(error), returncode=error.exit_code)

    for case in done.verdict.cases:
        pytestconfig.hook.pytest_runtest_logreport(report=make_report(case))
    if done.stop:
        raise done.stop
    assert not done.verdict.wrong, "\n".join(done.verdict.wrong)


def make_report(case: SpecCase) -> pytest.TestReport:
    """Return a spec as a pytest report, so that it is in the output, the JUnit file and the counts like any test."""
    file = f"scenarios/upstream/{case.spec.file}.py"
    name = case.spec.name.translate(BRACKETS).replace("::", ":")
    outcome: Literal["passed", "failed", "skipped"] = "skipped"
    longrepr: str | tuple[str, int, str] | None = (file, case.spec.line, f"Skipped: {case.why}")
    match case.outcome:
        case StepOutcome.PASS:
            outcome, longrepr = "passed", None
        case StepOutcome.FAIL:
            outcome, longrepr = "failed", case.text
        case StepOutcome.UNKNOWN:
            longrepr = (__file__, 0, f"Skipped: unknown: {case.why}")  # of one place, so that the summary tells them as one
    return pytest.TestReport(
        nodeid=f"{file}::{name}",
        location=(file, case.spec.line, name),
        keywords={},
        outcome=outcome,
        longrepr=longrepr,
        when="call",
        duration=case.seconds,
    )
