"""What a run of upstream's suite comes to: one case a spec, and what is wrong with the run. Pure."""

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
    """One spec and its outcome; `why` of all but a pass. `text` is what ginkgo says of a failure in full."""

    spec: Spec
    outcome: StepOutcome
    seconds: float = 0.0
    why: str = ""
    text: str = ""


@dataclass(frozen=True)
class SuiteVerdict:
    """All cases; `wrong` is why the run as a whole failed, besides cases; `notes` is what there is to tell beyond that."""

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
    """Return what came of a planned run. A spec of which nothing is known did not run: unknown, and never a pass."""
    cases = [SpecCase(spec, StepOutcome.SKIP, why=known_reason(entry)) for spec, entry in plan.skipped]
    notes: list[str] = []
    for spec in plan.run:
        entry, result = plan.expected.get(spec), report.results.get(spec, SpecResult(""))
        if entry and result.state == "passed":
            notes.append(f"passed though known.toml has it under fails ({entry.words}): {spec.name}")
        cases.append(case(spec, result, entry, cut_short=cut_short))
    wrong = [f"known.toml, {entry.words}: no spec matches it any more" for entry in plan.idle]
    wrong += [f"{node} {result.state}: {result.message}" for node, result in report.around]
    wrong += [] if cut_short else [reason for reason in report.special if reason not in REDUNDANT]
    return SuiteVerdict(sorted(cases, key=lambda each: (each.spec.file, each.spec.line, each.spec.number)), wrong, notes)


TOLD = "upstream's own end-to-end suite"
"""How the text of a failure says what failed: a rule of reports/rules.toml finds it by that."""

LAST_LINES = 60
"""Of what a failed spec printed; all of it is in the log that is kept."""

REDUNDANT = frozenset({"Detected pending specs and --fail-on-pending is set", "Interrupted by User"})


def case(spec: Spec, result: SpecResult, entry: KnownSpec | None, *, cut_short: bool) -> SpecCase:
    """Return the case of one spec that was to be run."""
    if result.state == "passed":
        return SpecCase(spec, StepOutcome.PASS, result.seconds)
    if result.state == "skipped" and result.message:
        return SpecCase(spec, StepOutcome.SKIP, result.seconds, f"the suite skips it by itself: {result.message}")
    if result.state in CUT_OFF or result.state == "skipped":
        why = "the run was interrupted before it ended" if cut_short else "ginkgo did not run it to its end"
        return SpecCase(spec, StepOutcome.UNKNOWN, result.seconds, why if not result.message else f"{why}: {first_line(result.message)}")
    if entry:
        return SpecCase(spec, StepOutcome.SKIP, result.seconds, f"failed as expected; {known_reason(entry)}")
    why = f"{first_line(result.message)}{f' ({result.where})' if result.where else ''}"
    said = "\n".join(result.said.splitlines()[-LAST_LINES:])
    text = f"{why}\n{TOLD}, {spec.file}_test.go:{spec.line}: {spec.text}\n\n{result.message}\n\n{said}".rstrip()
    return SpecCase(spec, StepOutcome.FAIL, result.seconds, why, text)


def known_reason(entry: KnownSpec) -> str:
    return f"{entry.whose}: {entry.why}"


def first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no words")
