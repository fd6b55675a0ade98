"""What every verb but `collect` reads: results, the plan, history and known flakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import option
from lab.errors import NotPossible
from lab.terminal.text import say
from reports.flakes import make_expired_error
from reports.report import Report, ReportInputs, read_report

ResultsArgument = Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="Folders with results of cells.")]
PlanOption = Annotated[Path | None, option("--plan", help="What `lab matrix -o json` printed: the cells to expect.", metavar="FILE")]
HistoryOption = Annotated[Path | None, option("--history", help="history.jsonl of earlier runs.", metavar="FILE")]
FlakesOption = Annotated[Path, option("--flakes", help="Known flakes (TOML).", metavar="FILE", show_default=False)]
OutFolderOption = Annotated[Path, option("--out", help="Where to write.", metavar="DIR")]
OutFileOption = Annotated[Path, option("--out", help="Where to write.", metavar="FILE")]


def load_report(results: Sequence[Path], plan: Path | None, history: Path | None, flakes: Path) -> Report:
    """Return the report of these results. UsageError when a file or folder is missing or is of another kind."""
    return read_report(ReportInputs(results, plan, history, flakes))


def print_notes(report: Report, *, besides: Sequence[str] = ()) -> None:
    """Print the notes of a report, without those that were printed, and what it leaves out."""
    for note in report.notes:
        if note not in besides:
            say(f"note: {note}")
    for what in report.omissions:
        say(f"omitted: {what}")


def refuse_expired(report: Report, flakes: Path) -> None:
    """Raise TestsFailed when a known flake has expired."""
    if report.flakes.expired_entries:
        raise make_expired_error(report.flakes.expired_entries, flakes)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise NotPossible for an OSError of the body: files that are read are checked where they are read, so this one is about writing."""
    try:
        yield
    except OSError as error:
        raise NotPossible(f"cannot write there: {error.strerror}", where=str(error.filename or ""), remedy="name another --out") from error
