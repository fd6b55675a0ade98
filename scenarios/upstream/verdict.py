"""The verdict on a run of upstream's suite: one case per spec, and errors of the run itself. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from lab.steps import StepOutcome
from scenarios.upstream.known import KnownSpec
from scenarios.upstream.plan import SuitePlan
from scenarios.upstream.spec import CUT_OFF, GinkgoReport, Spec, SpecResult


@dataclass(frozen=True)
class SpecCase:
    """One spec and its outcome. `why` is the reason unless it passed; `text` is ginkgo's whole report of a failure."""

    spec: Spec
    outcome: StepOutcome
    seconds: float = 0.0
    why: str = ""
    text: str = ""


@dataclass(frozen=True)
class SuiteVerdict:
    """All cases. `wrong` are errors of the run besides failed cases; `notes` are hints for the summary."""

    cases: Sequence[SpecCase]
    wrong: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=list)

    def counted(self) -> dict[str, int]:
        """Return how many cases have which outcome."""
        counts = Counter(case.outcome.value for case in self.cases)
        return {outcome.value: counts[outcome.value] for outcome in StepOutcome if counts[outcome.value]}

    @property
    def failed(self) -> list[SpecCase]:
        return [case for case in self.cases if case.outcome is StepOutcome.FAIL]


def judge(plan: SuitePlan, report: GinkgoReport, *, cut_short: bool = False) -> SuiteVerdict:
    """Return the verdict on a planned run. A spec without a result is unknown, never a pass."""
    cases = [SpecCase(spec, StepOutcome.SKIP, why=reason_of(entry)) for spec, entry in plan.skipped]
    notes: list[str] = []
    for spec in plan.run:
        entry, result = plan.expected.get(spec), report.results.get(spec, SpecResult(""))
        if entry and result.state == "passed":
            notes.append(f"passed although known.toml expects a failure ({entry.selector}): {spec.name}")
        cases.append(make_case(spec, result, entry, cut_short=cut_short))
    wrong = [f"known.toml, {entry.selector}: no spec matches it any more" for entry in plan.idle]
    wrong += [f"{node} {result.state}: {result.message}" for node, result in report.around]
    wrong += [] if cut_short else [reason for reason in report.special if reason not in REDUNDANT]
    return SuiteVerdict(sorted(cases, key=lambda each: (each.spec.file, each.spec.line, each.spec.number)), wrong, notes)


SUITE_NAME = "upstream's own end-to-end suite"
"""The text by which a rule of reports/rules.toml recognises failures of this suite."""

LAST_LINES = 60
"""How many lines of a failed spec's output to show; the kept log has all of it."""

REDUNDANT = frozenset({"Detected pending specs and --fail-on-pending is set", "Interrupted by User"})


def make_case(spec: Spec, result: SpecResult, entry: KnownSpec | None, *, cut_short: bool) -> SpecCase:
    """Return the case of one planned spec."""
    if result.state == "passed":
        return SpecCase(spec, StepOutcome.PASS, result.seconds)
    if result.state == "skipped" and result.message:
        return SpecCase(spec, StepOutcome.SKIP, result.seconds, f"the suite skips it: {result.message}")
    if result.state in CUT_OFF or result.state == "skipped":
        why = "the run was interrupted before it ended" if cut_short else "ginkgo did not run it to its end"
        return SpecCase(spec, StepOutcome.UNKNOWN, result.seconds, why if not result.message else f"{why}: {first_line(result.message)}")
    if entry:
        return SpecCase(spec, StepOutcome.SKIP, result.seconds, f"failed as expected; {reason_of(entry)}")
    why = f"{first_line(result.message)}{f' ({result.where})' if result.where else ''}"
    output = "\n".join(result.output.splitlines()[-LAST_LINES:])
    text = f"{why}\n{SUITE_NAME}, {spec.file}_test.go:{spec.line}: {spec.text}\n\n{result.message}\n\n{output}".rstrip()
    return SpecCase(spec, StepOutcome.FAIL, result.seconds, why, text)


def reason_of(entry: KnownSpec) -> str:
    return f"{entry.owner}: {entry.why}"


def first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")
