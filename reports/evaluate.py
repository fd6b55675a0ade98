"""Evaluate one cell: its cases, its bring-bring_ups, its failures with their owners, and its outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.count import count
from lab.steps import StepOutcome
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
    """A failure, its classification, and the known flake that excuses it, if any."""

    failure: Failure
    classification: Classification
    flake: Flake | None = None


@dataclass(frozen=True)
class EvaluatedCell:
    """A cell and the contents of its folder. `outcome` and `reason` are the verdict; `notes` describe problems of the results."""

    cell: CellResults
    outcome: StepOutcome
    reason: str = ""
    cases: tuple[Case, ...] = ()
    bring_ups: tuple[BringUp, ...] = ()
    failures: tuple[ClassifiedFailure, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    beyond: Counter[StepOutcome] = field(default_factory=Counter)
    """Tests beyond the limit, which are counted and not listed."""
    left_out: tuple[str, ...] = ()
    """Parts of the results that a report does not show: omitted files, the middle of long texts, tests that are only counted."""
    before: tuple[EvaluatedCell, ...] = ()
    """Earlier attempts of this cell in the same run."""

    @property
    def tests(self) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if not case.step)

    @property
    def tally(self) -> Counter[StepOutcome]:
        """The number of tests per outcome, including those that are not listed."""
        return Counter(case.outcome for case in self.tests) + self.beyond

    @property
    def up_seconds(self) -> float | None:
        """The duration of the first successful `up`; None without one."""
        return next((up.seconds or up.ended - up.began for up in self.bring_ups if up.outcome is StepOutcome.PASS), None)

    @property
    def pages(self) -> list[Path]:
        """The pages that benchmarks wrote, such as the timeline of a failover."""
        return sorted((self.cell.path / "perf").rglob("*.html"))

    @property
    def may_retry(self) -> bool:
        """Return whether the cell may be run again: it has failures, and infrastructure owns each."""
        return (
            bool(self.failures) and not self.beyond[StepOutcome.FAIL] and all(judged.classification.may_retry for judged in self.failures)
        )

    @property
    def has_only_known_flakes(self) -> bool:
        """Return whether only known flakes failed."""
        return bool(self.failures) and not self.beyond[StepOutcome.FAIL] and all(judged.flake for judged in self.failures)


def evaluate_cell(cell: CellResults, flakes: Flakes) -> EvaluatedCell:
    """Evaluate one cell. Note what is torn or missing and never raise: one cell's results must not hide those of others."""
    try:
        return evaluate_results(cell, flakes)
    except Exception as error:  # noqa: BLE001 (a job can leave anything)
        why = f"evaluating the results failed: {type(error).__name__}: {error}"
        return EvaluatedCell(cell=cell, outcome=StepOutcome.UNKNOWN, reason=why, notes=(why,))


def evaluate_results(cell: CellResults, flakes: Flakes) -> EvaluatedCell:
    """Evaluate one cell; raise on results that are not as expected."""
    notes = [cell.broken] if cell.broken else []
    notes += [f"{name} is missing: {why}" for name, why in cell.missing.items()]
    notes += [f"{name} is not whole: {where}" for name, where in cell.torn.items()]
    results, torn = read_cell_results(cell)
    if torn and torn not in notes:
        notes.append(torn)
    tests = list(results.cases) if results else []
    bring_ups = journal.list_bring_ups(journal.read_events(cell.path / "journal.jsonl")) if cell.path.is_dir() else []
    found, unread = measured.read_figures(cell.path / "perf")
    seen = decide_verdict(cell.exit_code, results, bring_ups, logs=cell.path / "logs")
    if torn and seen[0] is StepOutcome.PASS:
        seen = StepOutcome.UNKNOWN, torn
    outcome, reason = choose_verdict(cell, seen, unproven=torn or ("" if results or bring_ups or found else NO_RESULTS))
    if cell.outcome is StepOutcome.PASS and outcome is not StepOutcome.PASS and not cell.broken:
        notes.append("cell.json contradicts the results: it says pass, they do not")
    judged = [classify_failure(each, flakes) for each in list_failures(cell.with_values(outcome=outcome, reason=reason), tests, bring_ups)]
    beyond = results.beyond if results else Counter[StepOutcome]()
    if not beyond[StepOutcome.FAIL]:
        outcome, reason = excuse_known_flakes(outcome, reason, judged)
    return EvaluatedCell(
        cell=cell,
        outcome=outcome,
        reason=reason,
        cases=tuple(cases.merge_cases(tests, [case for up in bring_ups for case in cases.list_step_cases(up)])),
        bring_ups=tuple(bring_ups),
        failures=tuple(judged),
        figures=tuple(found),
        notes=(*notes, *unread),
        beyond=beyond,
        left_out=tuple(list_omissions(cell, results)),
    )


def list_omissions(cell: CellResults, results: Results | None) -> Iterator[str]:
    """Yield the parts of a cell's results that a report does not show."""
    yield from (f"{name}: {why}" for name, why in cell.left_out.items())
    if results and results.cut:
        yield results.cut
    if results and results.beyond:
        more = " and ".join(f"{number:,} more that {ENDED[outcome]}" for outcome, number in sorted(results.beyond.items()))
        yield f"junit.xml: {more} are counted and not listed"


def choose_verdict(cell: CellResults, seen: Verdict, *, unproven: str) -> Verdict:
    """Return how a cell ended: reconcile its cell.json with its results (`seen`). An unproven pass is unknown."""
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
    """Return the results of the JUnit file (None without a readable one) and a description of its damage."""
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
    """Return a failure with its classification."""
    return ClassifiedFailure(failure, classify(failure), flakes.find(failure))


def excuse_known_flakes(outcome: StepOutcome, reason: str, judged: Sequence[ClassifiedFailure]) -> tuple[StepOutcome, str]:
    """Return the verdict of a failed cell: unknown, never green, when only known flakes failed."""
    if outcome is not StepOutcome.FAIL or not judged or any(each.flake is None for each in judged):
        return outcome, reason
    flakes = "; ".join(dict.fromkeys(each.flake.description for each in judged if each.flake))
    return StepOutcome.UNKNOWN, f"only known flakes failed: {flakes}"


def merge_attempts(examined: Sequence[EvaluatedCell]) -> list[EvaluatedCell]:
    """Return each cell once: its last attempt, with the earlier ones in `before`.

    Only infrastructure failures may be retried: after any other failure the cell fails, even if a later attempt passed.
    """
    named: dict[str, list[EvaluatedCell]] = {}
    for each in examined:
        named.setdefault(each.cell.name, []).append(each)
    return [get_last_attempt(found) for found in named.values()]


def get_last_attempt(found: Sequence[EvaluatedCell]) -> EvaluatedCell:
    """Return the last attempt of one cell."""
    *before, last = sorted(found, key=lambda each: (each.cell.attempt, each.cell.started or 0.0, each.cell.path))
    if not before:
        return last
    notes = list(last.notes)
    if len({each.cell.attempt for each in found}) < len(found):
        notes.append(f"{count(len(found), 'result')} of this cell share an attempt number; the last one to start is shown")
    sticking = [each for each in before if each.outcome is StepOutcome.FAIL and not each.may_retry]
    outcome, reason = last.outcome, last.reason
    if sticking and outcome is not StepOutcome.FAIL:
        owner = sorted(
            {judged.classification.owner.value for each in sticking for judged in each.failures if not judged.classification.may_retry}
        )
        outcome = StepOutcome.FAIL
        owners = ", ".join(owner) or "unknown owner"
        reason = f"attempt {sticking[0].cell.attempt} failed ({owners}): only {Owner.INFRASTRUCTURE.value} is retried"
        notes.append("this cell was retried although its failure was not an infrastructure failure; the first result counts")
    elif outcome is StepOutcome.PASS and any(each.outcome is not StepOutcome.PASS for each in before):
        retried = sum(each.may_retry for each in before)  # exit code 3 is unknown and may be retried too
        others = sum(each.outcome is not StepOutcome.PASS for each in before) - retried
        earlier = [f"{count(retried, 'failure')} of the infrastructure"] * bool(retried) + [f"{others} unknown"] * bool(others)
        reason = f"attempt {last.cell.attempt}, after {' and '.join(earlier)}"
    return replace(last, outcome=outcome, reason=reason, notes=tuple(notes), before=tuple(before))
