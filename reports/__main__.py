"""`python -m reports`: collect results of cells, judge them, and write reports.

    collect   copy one job's results to one masked folder, which the job uploads
    build     a static site, opened from disk           summary   Markdown for a job's summary
    junit     one JUnit file                             allure    one folder of Allure results
    judge     exit code 1 when a cell failed or the entry of a known flake expired, 3 when the outcome of a planned cell is unknown
    retry     exit code 0 when a cell may be run again: all its failures are infrastructure failures

RUN is a folder of `collect`, a folder above such folders, or the run directory of a lab. Exit codes: 0 ok, 1 and 3 as above, 2 usage error.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError, NotPossible
from lab.steps import StepOutcome
from lab.terminal.text import Look, error_lines, say
from reports import allure, junit, site
from reports.cell import PARTS
from reports.collect import Sources
from reports.collect import collect as collected
from reports.evaluate import EvaluatedCell
from reports.flakes import FLAKES, make_expired_error
from reports.report import Report, ReportInputs, read_report
from reports.summary import format_summary


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    one = verbs.add_parser("collect", help="one job's results into one folder")
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="the cell's folder; replaced")
    one.add_argument("--lab", metavar="LAB|DIR", help="the lab's name or run directory; else what a test session kept below --artifacts")
    one.add_argument("--junit", type=Path, metavar="FILE", help="what pytest --junitxml wrote")
    one.add_argument("--artifacts", type=Path, metavar="DIR", help="what pytest --artifacts wrote: evidence of failures")
    one.add_argument("--allure", type=Path, metavar="DIR", help="what pytest --alluredir wrote")
    one.add_argument("--perf", type=Path, nargs="*", default=[], metavar="PATH", help="results of benchmarks")
    one.add_argument("--log", type=Path, nargs="*", default=[], metavar="FILE", help="what the job's commands printed")
    one.add_argument("--name", metavar="CELL", help="provider-deployer-release-kubernetes-suite; else made of the parts")
    for part in PARTS:
        one.add_argument(f"--{part}", help="else what the lab was asked for" if part != "suite" else None)
    one.add_argument("--run", metavar="ID", help="the run of the whole matrix; else $GITHUB_RUN_ID, else local")
    one.add_argument("--attempt", type=int, metavar="N", help="else $GITHUB_RUN_ATTEMPT, else 1")
    one.add_argument("--revision", default="", metavar="COMMIT", help="of what was tested; else $GITHUB_SHA")
    one.add_argument("--exit-code", type=int, metavar="N", help="of the first of the job's commands that failed, or 0")
    one.add_argument("--started", type=float, metavar="SECONDS", help="when the job began (Unix time); else when its lab was made")
    one.add_argument("--outcome", choices=[outcome.value for outcome in StepOutcome], help="instead of what the results tell")
    one.add_argument("--reason", metavar="TEXT")
    for verb, what in VERBS.items():
        many = verbs.add_parser(verb, help=what)
        many.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders with results of cells")
        many.add_argument("--plan", type=Path, metavar="FILE", help="`python -m scenarios matrix -o json`: what should be there")
        many.add_argument("--history", type=Path, metavar="FILE", help="history.jsonl of earlier runs")
        many.add_argument("--flakes", type=Path, default=FLAKES, metavar="FILE", help="known flakes (TOML)")
        if verb in {"build", "allure", "junit"}:
            many.add_argument("--out", type=Path, required=True, metavar="FILE" if verb == "junit" else "DIR")
    return parser


VERBS = {
    "build": "a static site",
    "summary": "Markdown for a job's summary",
    "junit": "one JUnit file",
    "allure": "one folder of Allure results, with history",
    "judge": "exit code 1 when a cell failed, 3 when of one nothing is known",
    "retry": "exit code 0 when it may be run again",
}


def collect_results(options: argparse.Namespace) -> int:
    """Collect one cell."""
    sources = Sources(
        lab=options.lab,
        junit=options.junit,
        artifacts=options.artifacts,
        allure=options.allure,
        perf=tuple(options.perf),
        logs=tuple(options.log),
        parts={part: getattr(options, part) for part in PARTS if getattr(options, part)},
        name=options.name,
        run=options.run,
        attempt=options.attempt,
        revision=options.revision,
        exit_code=options.exit_code,
        outcome=StepOutcome(options.outcome) if options.outcome else None,
        reason=options.reason,
        started=options.started,
    )
    cell = collected(sources, options.out)
    say(f"{cell.name}: {cell.outcome.value}{f' ({cell.reason})' if cell.reason else ''}; {options.out}")
    for name, why in cell.missing.items():
        say(f"  missing: {name}: {why}")
    for name, why in cell.torn.items():
        say(f"  damaged: {name}: {why}")
    for name, why in cell.left_out.items():
        say(f"  omitted: {name}: {why}")
    return 0


def run_report(options: argparse.Namespace) -> int:
    """Read results and draw them, or judge them."""
    history = options.history
    if history is None and options.verb == "build" and (options.out / "history.jsonl").exists():
        history = options.out / "history.jsonl"
    found = read_report(ReportInputs(options.runs, options.plan, history, options.flakes))
    code = DRAW[options.verb](found, options)
    printed = {describe_cell(each) for each in found.cells} if options.verb == "judge" else set()
    for note in found.notes:
        if note not in printed:
            say(f"note: {note}")
    for what in found.omissions:
        say(f"omitted: {what}")
    if found.flakes.expired_entries and options.verb != "retry":
        raise make_expired_error(found.flakes.expired_entries, options.flakes)
    return code


def build_site(found: Report, options: argparse.Namespace) -> int:
    """Write the site, and the history that the next run needs."""
    site.write_site(found, options.out)
    say(f"{options.out / 'index.html'}")
    return 0


def print_summary(found: Report, options: argparse.Namespace) -> int:  # noqa: ARG001 (a verb)
    """Print the summary."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a job may run with any locale
        sys.stdout.reconfigure(errors="replace")
    print(format_summary(found), end="")
    return 0


def write_junit(found: Report, options: argparse.Namespace) -> int:
    """Write the JUnit file."""
    junit.write_file(found, options.out)
    return 0


def write_allure(found: Report, options: argparse.Namespace) -> int:
    """Write the Allure results."""
    allure.write_results(found, options.out)
    return 0


def judge_run(found: Report, options: argparse.Namespace) -> int:  # noqa: ARG001 (a verb)
    """Say what failed."""
    for each in found.cells:
        if each.outcome is not StepOutcome.PASS:
            say(f"{each.outcome.value:8}{describe_cell(each)}")
    return 1 if found.has_failed_cells else NotPossible.exit_code if found.has_unknown_cells else 0


def describe_cell(each: EvaluatedCell) -> str:
    """Return why a cell did not pass, in the form of a note."""
    return f"{each.cell.name}: {each.reason}"


def check_retry(found: Report, options: argparse.Namespace) -> int:  # noqa: ARG001 (a verb)
    """Say whether these cells may be run again."""
    for each in found.cells:
        for judged in each.failures:
            say(f"{each.cell.name}: {judged.failure.name}: {judged.classification.owner.value}: {judged.classification.because}")
    return 0 if any(each.failures for each in found.cells) and all(each.may_retry for each in found.cells if each.failures) else 1


DRAW = {
    "build": build_site,
    "summary": print_summary,
    "junit": write_junit,
    "allure": write_allure,
    "judge": judge_run,
    "retry": check_retry,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Do one verb, and return the exit code."""
    options = build_parser().parse_args(argv)
    try:
        return collect_results(options) if options.verb == "collect" else run_report(options)
    except LabError as error:
        return print_error(error)
    except OSError as error:  # what is read is checked where it is: this is a disk that is full, a file where a folder should be
        return print_error(
            NotPossible(f"cannot write there: {error.strerror}", where=str(error.filename or ""), remedy="name another --out")
        )


def print_error(error: LabError) -> int:
    """Print an error, and return its exit code."""
    for text in error_lines(error, look=Look.of(sys.stderr)):
        say(text)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
