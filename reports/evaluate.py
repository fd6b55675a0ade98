"""Examine one cell: its cases, its bring-ups, its failures with their owners, and its outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.steps import StepOutcome
from lab.terminal.text import count
from reports import cases, journal
from reports import figures as measured
from reports.cases import Case
from reports.cell import CellResults
from reports.classify import Classification, Owner, classify
from reports.failure import Failure, list_failures
from reports.figures import Figure
from reports.flakes import Flake, Flakes
from reports.journal import BringUp
from reports.junit_results import Results, read_results
from reports.verdict import NO_RESULTS, Verdict, decide_verdict

ENDED = {StepOutcome.PASS: "passed", StepOutcome.FAIL: "failed", StepOutcome.SKIP: "were skipped", StepOutcome.UNKNOWN: "are unknown"}


@dataclass(frozen=True)
class ClassifiedFailure:
    """A failure, its owner, and the known flake that excuses it, if one does."""

    failure: Failure
    verdict: Classification
    flake: Flake | None = None


@dataclass(frozen=True)
class EvaluatedCell:
    """A cell and all that its folder tells. `outcome` and `reason` are the judgement; `notes` say what is wrong with the results."""

    cell: CellResults
    outcome: StepOutcome
    reason: str = ""
    cases: tuple[Case, ...] = ()
    ups: tuple[BringUp, ...] = ()
    failures: tuple[ClassifiedFailure, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    beyond: Counter[StepOutcome] = field(default_factory=Counter)
    """Tests that are counted and not listed: there are too many."""
    left_out: tuple[str, ...] = ()
    """What its results had and a report does not show: files that were not taken, the middle of long texts, tests that are only counted."""
    before: tuple[EvaluatedCell, ...] = ()
    """Earlier attempts at the same cell in the same run."""

    @property
    def tests(self) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if not case.step)

    @property
    def tally(self) -> Counter[StepOutcome]:
        """How many tests ended how, with those that are not listed."""
        return Counter(case.outcome for case in self.tests) + self.beyond

    @property
    def up_seconds(self) -> float | None:
        """How long the first `up` took that came through; None when none did."""
        return next((up.seconds or up.ended - up.began for up in self.ups if up.outcome is StepOutcome.PASS), None)

    @property
    def pages(self) -> list[Path]:
        """The pages that benchmarks wrote of themselves, as that of a failover with its timeline."""
        return sorted((self.cell.path / "perf").rglob("*.html"))

    @property
    def retriable(self) -> bool:
        """Tell whether running it again is allowed: it has failures, and each is the infrastructure's."""
        return bool(self.failures) and not self.beyond[StepOutcome.FAIL] and all(judged.verdict.retried for judged in self.failures)

    @property
    def excused(self) -> bool:
        """Tell whether known flakes are all that failed."""
        return bool(self.failures) and not self.beyond[StepOutcome.FAIL] and all(judged.flake for judged in self.failures)


def evaluate_cell(cell: CellResults, flakes: Flakes) -> EvaluatedCell:
    """Look at one cell. Whatever is torn or missing is noted; nothing raises: one cell's results must not hide those of others."""
    try:
        return evaluate_results(cell, flakes)
    except Exception as error:  # noqa: BLE001 (what a job can leave has no end)
        why = f"its results cannot be examined: {type(error).__name__}: {error}"
        return EvaluatedCell(cell=cell, outcome=StepOutcome.UNKNOWN, reason=why, notes=(why,))


def evaluate_results(cell: CellResults, flakes: Flakes) -> EvaluatedCell:
    """Look at one cell."""
    notes = [cell.broken] if cell.broken else []
    notes += [f"{name} is not here: {why}" for name, why in cell.missing.items()]
    notes += [f"{name} is not whole: {where}" for name, where in cell.torn.items()]
    results, torn = read_cell_results(cell)
    if torn and torn not in notes:
        notes.append(torn)
    tests = list(results.cases) if results else []
    ups = journal.list_bring_ups(journal.read_events(cell.path / "journal.jsonl")) if cell.path.is_dir() else []
    found, unread = measured.read_figures(cell.path / "perf")
    seen = decide_verdict(cell.exit_code, results, ups, logs=cell.path / "logs")
    if torn and seen[0] is StepOutcome.PASS:
        seen = StepOutcome.UNKNOWN, torn
    outcome, reason = choose_verdict(cell, seen, unproven=torn or ("" if results or ups or found else NO_RESULTS))
    if cell.outcome is StepOutcome.PASS and outcome is not StepOutcome.PASS and not cell.broken:
        notes.append("its cell.json says pass, and its results do not")
    judged = [classify_failure(each, flakes) for each in list_failures(cell.but(outcome=outcome, reason=reason), tests, ups)]
    beyond = results.beyond if results else Counter[StepOutcome]()
    if not beyond[StepOutcome.FAIL]:
        outcome, reason = excuse_known_flakes(outcome, reason, judged)
    return EvaluatedCell(
        cell=cell,
        outcome=outcome,
        reason=reason,
        cases=tuple(cases.merge_cases(tests, [case for up in ups for case in cases.list_step_cases(up)])),
        ups=tuple(ups),
        failures=tuple(judged),
        figures=tuple(found),
        notes=(*notes, *unread),
        beyond=beyond,
        left_out=tuple(list_omissions(cell, results)),
    )


def list_omissions(cell: CellResults, results: Results | None) -> Iterator[str]:
    """Yield what a cell's results had and a report does not show."""
    yield from (f"{name}: {why}" for name, why in cell.left_out.items())
    if results and results.cut:
        yield results.cut
    if results and results.beyond:
        told = " and ".join(f"{number:,} more that {ENDED[outcome]}" for outcome, number in sorted(results.beyond.items()))
        yield f"junit.xml: {told} are counted and not listed"


def choose_verdict(cell: CellResults, seen: Verdict, *, unproven: str) -> Verdict:
    """Return how a cell ended, between what its cell.json says and what its results tell (`seen`). A pass that is unproven is none."""
    if seen[0] is StepOutcome.FAIL and (cell.broken or cell.outcome is StepOutcome.PASS):
        return seen
    if cell.broken:
        return StepOutcome.UNKNOWN, cell.broken
    if not (cell.path / "cell.json").exists():
        return seen
    if cell.outcome is StepOutcome.PASS and unproven:
        return StepOutcome.UNKNOWN, unproven
    return cell.outcome, cell.reason


def read_cell_results(cell: CellResults) -> tuple[Results | None, str]:
    """Return what the JUnit file tells, None when there is none that can be read, and what is wrong with it."""
    path = cell.path / "junit.xml"
    if not path.exists() and not path.is_symlink():
        return None, "junit.xml is torn: it is kept as text" if (cell.path / "junit.xml.txt").exists() else ""
    try:
        results = read_results(path)
    except ValueError as error:
        return None, str(error)
    collected = f"junit.xml is not whole: {cell.torn['junit.xml']}" if "junit.xml" in cell.torn else ""
    return results, collected or results.torn


def classify_failure(failure: Failure, flakes: Flakes) -> ClassifiedFailure:
    """Return a failure with its owner."""
    return ClassifiedFailure(failure, classify(failure), flakes.of(failure))


def excuse_known_flakes(outcome: StepOutcome, reason: str, judged: Sequence[ClassifiedFailure]) -> tuple[StepOutcome, str]:
    """Return what remains of a cell's failure when known flakes are all that failed: it is unknown, never green."""
    if outcome is not StepOutcome.FAIL or not judged or any(each.flake is None for each in judged):
        return outcome, reason
    told = "; ".join(dict.fromkeys(each.flake.told for each in judged if each.flake))
    return StepOutcome.UNKNOWN, f"only known flakes failed: {told}"


def merge_attempts(examined: Sequence[EvaluatedCell]) -> list[EvaluatedCell]:
    """Return each cell once: its last attempt, which knows the earlier ones.

    A failure that was not the infrastructure's does not go away by running the cell again: then the cell fails, and says so.
    """
    named: dict[str, list[EvaluatedCell]] = {}
    for each in examined:
        named.setdefault(each.cell.name, []).append(each)
    return [get_last_attempt(found) for found in named.values()]


def get_last_attempt(found: Sequence[EvaluatedCell]) -> EvaluatedCell:
    """Return the last of some attempts at one cell."""
    *before, last = sorted(found, key=lambda each: (each.cell.attempt, each.cell.started or 0.0, each.cell.path))
    if not before:
        return last
    notes = list(last.notes)
    if len({each.cell.attempt for each in found}) < len(found):
        notes.append(f"{count(len(found), 'result')} of it came, not each with an attempt of its own; the last one to start is shown")
    sticking = [each for each in before if each.outcome is StepOutcome.FAIL and not each.retriable]
    outcome, reason = last.outcome, last.reason
    if sticking and outcome is not StepOutcome.FAIL:
        owner = sorted({judged.verdict.owner.value for each in sticking for judged in each.failures if not judged.verdict.retried})
        outcome = StepOutcome.FAIL
        told = ", ".join(owner) or "for no reason that is known"
        reason = f"attempt {sticking[0].cell.attempt} failed ({told}): only {Owner.INFRASTRUCTURE.value} is retried"
        notes.append("it was run again although its failure was not the infrastructure's; the first result counts")
    elif outcome is StepOutcome.PASS and any(each.outcome is not StepOutcome.PASS for each in before):
        retried = sum(each.retriable for each in before)  # what was not possible is unknown, and may be retried all the same
        others = sum(each.outcome is not StepOutcome.PASS for each in before) - retried
        earlier = [f"{count(retried, 'failure')} of the infrastructure"] * bool(retried) + [f"{others} unknown"] * bool(others)
        reason = f"attempt {last.cell.attempt}, after {' and '.join(earlier)}"
    return replace(last, outcome=outcome, reason=reason, notes=tuple(notes), before=tuple(before))
