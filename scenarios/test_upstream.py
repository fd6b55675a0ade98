"""Karmada's own end-to-end suite holds, spec by spec, on this lab: each spec is a case, beside the tests of this project.

What is not run here and what is known to fail is data (`scenarios/upstream/known.toml`), each with its reason and whose it is.
"""

from __future__ import annotations

import contextlib

import pytest

from deployers.karmada import Karmada
from lab.console import say
from lab.errors import UsageError
from lab.steps import Outcome
from scenarios.upstream import run
from scenarios.upstream.stand import lacking
from scenarios.upstream.verdict import Case

pytestmark = [pytest.mark.thorough, pytest.mark.breaks]


def test_upstreams_own_suite(karmada: Karmada, pytestconfig: pytest.Config) -> None:
    if lacks := lacking(karmada):
        pytest.skip(f"needs a lab like that of scenarios/upstream.toml; this one lacks {', '.join(lacks)}")
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            done = run.on(karmada, focus=pytestconfig.getoption("focus") or "", artifacts=pytestconfig.getoption("artifacts"), tell=say)
    except UsageError as error:
        pytest.exit(str(error), returncode=error.exit_code)

    for case in done.verdict.cases:
        pytestconfig.hook.pytest_runtest_logreport(report=reported(case))
    if done.stop:
        raise done.stop
    assert not done.verdict.wrong, "\n".join(done.verdict.wrong)


def reported(case: Case) -> pytest.TestReport:
    """Return a spec as a test of pytest's: in its output, its JUnit file and its counts like any other."""
    file = f"scenarios/upstream/{case.spec.file}.py"
    name = case.spec.name.replace("::", ":")  # what pytest takes names apart by
    outcome = {Outcome.PASS: "passed", Outcome.FAIL: "failed"}.get(case.outcome, "skipped")
    unknown = "unknown: " if case.outcome is Outcome.UNKNOWN else ""
    longrepr = (
        None if outcome == "passed" else case.text if outcome == "failed" else (file, case.spec.line, f"Skipped: {unknown}{case.why}")
    )
    return pytest.TestReport(
        nodeid=f"{file}::{name}",
        location=(file, case.spec.line, name),
        keywords={},
        outcome=outcome,  # type: ignore[arg-type]  # one of the three words
        longrepr=longrepr,
        when="call",
        duration=case.seconds,
    )
