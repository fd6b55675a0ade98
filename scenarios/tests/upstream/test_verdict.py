"""The verdict on a run of upstream's suite: one case per spec, and errors of the run itself. Pure."""

from __future__ import annotations

from typing import Any

from lab.steps import StepOutcome
from scenarios.tests.upstream.upstream_fakes import WHY, entry, spec
from scenarios.upstream.known import KnownSpecs
from scenarios.upstream.plan import make_plan
from scenarios.upstream.spec import GinkgoReport, SpecResult
from scenarios.upstream.verdict import judge


def verdict(*states: str, known: KnownSpecs = KnownSpecs(), cut_short: bool = False, **said: Any) -> dict[str, StepOutcome]:  # noqa: B008 (frozen)
    specs = [spec(f"s{number}") for number in range(len(states))]
    report = GinkgoReport({each: SpecResult(state, **said) for each, state in zip(specs, states, strict=True) if state != "missing"})
    return {case.spec.text: case.outcome for case in judge(make_plan(specs, known), report, cut_short=cut_short).cases}


def test_each_state_has_its_outcome_and_what_did_not_run_is_never_a_pass() -> None:
    found = verdict("passed", "failed", "panicked", "timedout", "interrupted", "aborted", "skipped", "missing", "")

    assert list(found.values()) == [StepOutcome.PASS, *[StepOutcome.FAIL] * 3, *[StepOutcome.UNKNOWN] * 5]


def test_a_spec_that_skips_itself_says_why() -> None:
    assert verdict("skipped", message="Total nodes 1, less than 2") == {"s0": StepOutcome.SKIP}


def test_a_known_failure_is_excused_and_reported_when_it_passes() -> None:
    known = KnownSpecs(fails=(entry(pattern="s[01]"),))
    specs = [spec("s0"), spec("s1"), spec("s2")]
    report = GinkgoReport(
        {specs[0]: SpecResult("failed"), specs[1]: SpecResult("passed"), specs[2]: SpecResult("failed", message="\nboom\nmore")}
    )

    found = judge(make_plan(specs, known), report)

    assert [case.outcome for case in found.cases] == [StepOutcome.SKIP, StepOutcome.PASS, StepOutcome.FAIL]
    assert found.cases[0].why == f"failed as expected; environment: {WHY}"
    assert found.cases[2].why == "boom"
    assert found.cases[2].text.splitlines()[:2] == ["boom", "upstream's own end-to-end suite, search_test.go:0: s2"]
    assert found.notes == ["passed although known.toml expects a failure (pattern = 's[01]'): s1"]
    assert found.counted() == {"pass": 1, "fail": 1, "skip": 1}
    assert not found.wrong


def test_a_run_that_failed_around_its_specs_is_wrong_though_none_failed() -> None:
    report = GinkgoReport({}, around=[("SynchronizedBeforeSuite", SpecResult("failed", message="not ready"))], special=["Suite timeout"])

    assert judge(make_plan([spec("a")], KnownSpecs()), report).wrong == ["SynchronizedBeforeSuite failed: not ready", "Suite timeout"]


def test_an_interrupted_run_keeps_what_it_has() -> None:
    found = verdict("passed", "interrupted", "missing", cut_short=True)

    assert list(found.values()) == [StepOutcome.PASS, StepOutcome.UNKNOWN, StepOutcome.UNKNOWN]
