"""`lab report judge|retry`: exit codes for a workflow."""

from __future__ import annotations

import typer

from lab.errors import NotPossible, TestsFailed
from lab.steps import StepOutcome
from lab.terminal.text import say
from reports.commands.inputs import FlakesOption, HistoryOption, PlanOption, ResultsArgument, load_report, print_notes, refuse_expired
from reports.evaluate import EvaluatedCell
from reports.flakes import FLAKES


def judge(results: ResultsArgument, plan: PlanOption = None, history: HistoryOption = None, flakes: FlakesOption = FLAKES) -> None:
    """Exit by the verdict of all cells.

    1 when a cell failed or a known flake has expired, 3 when a planned cell has no result.

    Prints each cell that did not pass, and why.
    """
    report = load_report(results, plan, history, flakes)
    failures = [each for each in report.cells if each.outcome is not StepOutcome.PASS]
    for each in failures:
        say(f"{each.outcome.value:8}{describe_outcome(each)}")
    print_notes(report, besides=[describe_outcome(each) for each in report.cells])
    refuse_expired(report, flakes)
    raise typer.Exit(TestsFailed.exit_code if report.has_failed_cells else NotPossible.exit_code if report.has_unknown_cells else 0)


def describe_outcome(each: EvaluatedCell) -> str:
    """Return why a cell did not pass, in the form of a report's notes."""
    return f"{each.cell.name}: {each.reason}"


def retry(results: ResultsArgument, plan: PlanOption = None, history: HistoryOption = None, flakes: FlakesOption = FLAKES) -> None:
    """Exit with 0 when these cells may be run again.

    They may when the infrastructure caused all their failures.

    Exit code 1 otherwise, also when nothing failed. Prints the owner of each failure.
    """
    report = load_report(results, plan, history, flakes)
    for each in report.cells:
        for judged in each.failures:
            say(f"{each.cell.name}: {judged.failure.name}: {judged.classification.owner.value}: {judged.classification.because}")
    print_notes(report)
    failed = [each for each in report.cells if each.failures]
    raise typer.Exit(0 if failed and all(each.may_retry for each in failed) else TestsFailed.exit_code)
