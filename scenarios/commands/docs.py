"""`lab docs`: pages of docs/ that are made from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.cli.app import STYLE
from lab.cli.options import option
from lab.count import count
from lab.errors import NotPossible
from scenarios.documentation import pictures as drawing
from scenarios.documentation import reference as pages
from scenarios.matrix.skew import FILE, load_results, read_results, save_results

app = typer.Typer(help="Write the pages of docs/ that are made from the code.", add_completion=False, **STYLE)


@app.callback()
def root() -> None:
    """Write the pages of docs/ that are made from the code."""


@app.command()
def reference(context: typer.Context) -> None:
    """Write the reference pages.

    Commands, keys of lab files, settings, the matrix.
    """
    if not pages.FOLDER.parent.is_dir():
        raise NotPossible("the pages are in a checkout of karmada-lab only", where=str(pages.FOLDER))
    pages.FOLDER.mkdir(exist_ok=True)
    for file, text in pages.make_pages(context.find_root().command).items():
        file.write_text(text)
        print(file)


@app.command()
def skew(folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="With results of cells below them.")]) -> None:
    """Record which Kubernetes versions work.

    Adds results of cells of the suites skewhost and skewmember to scenarios/skew.json; `lab docs reference` then writes the page.
    """
    found = read_results(folders)
    save_results({**load_results(), **found})
    print(f"{count(len(found), 'result')} kept in {FILE}")


@app.command()
def pictures(
    report: Annotated[Path | None, option("--report", help="A page of a report, for its screenshot.", metavar="PAGE", exists=True)] = None,
) -> None:
    """Draw the pictures of README.

    The architecture and, of a page of a report, its screenshot (chromium).

    The timeline of a failover is drawn by `lab bench picture`.
    """
    print(drawing.write_architecture())
    if report is not None:
        print(drawing.take_screenshot(report))
