"""`lab report build|summary|junit|allure`: results for people and programs."""

from __future__ import annotations

import io
import sys

from lab.terminal.text import say
from reports import allure as allure_results
from reports import junit as junit_file
from reports import site
from reports.commands.inputs import (
    FlakesOption,
    HistoryOption,
    OutFileOption,
    OutFolderOption,
    PlanOption,
    ResultsArgument,
    load_report,
    print_notes,
    refuse_expired,
    translate_errors,
)
from reports.flakes import FLAKES
from reports.summary import format_summary


def build(
    results: ResultsArgument, out: OutFolderOption, plan: PlanOption = None, history: HistoryOption = None, flakes: FlakesOption = FLAKES
) -> None:
    """Write a static site and the history of runs.

    The next run needs the history.

    Without --history, that of an earlier site in the same folder is continued. Exit code 1 when a known flake has expired.
    """
    kept = out / "history.jsonl"
    report = load_report(results, plan, kept if history is None and kept.exists() else history, flakes)
    with translate_errors():
        site.write_site(report, out)
    say(f"{out / 'index.html'}")
    print_notes(report)
    refuse_expired(report, flakes)


def summary(results: ResultsArgument, plan: PlanOption = None, history: HistoryOption = None, flakes: FlakesOption = FLAKES) -> None:
    """Print Markdown for a job's summary.

    Exit code 1 when a known flake has expired.
    """
    report = load_report(results, plan, history, flakes)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a job may run with any locale
        sys.stdout.reconfigure(errors="replace")
    print(format_summary(report), end="")
    print_notes(report)
    refuse_expired(report, flakes)


def junit(
    results: ResultsArgument, out: OutFileOption, plan: PlanOption = None, history: HistoryOption = None, flakes: FlakesOption = FLAKES
) -> None:
    """Write one JUnit file: a suite for each cell.

    Exit code 1 when a known flake has expired.
    """
    report = load_report(results, plan, history, flakes)
    with translate_errors():
        junit_file.write_file(report, out)
    print_notes(report)
    refuse_expired(report, flakes)


def allure(
    results: ResultsArgument, out: OutFolderOption, plan: PlanOption = None, history: HistoryOption = None, flakes: FlakesOption = FLAKES
) -> None:
    """Write one folder of Allure results, with history.

    Exit code 1 when a known flake has expired.
    """
    report = load_report(results, plan, history, flakes)
    with translate_errors():
        allure_results.write_results(report, out)
    print_notes(report)
    refuse_expired(report, flakes)
