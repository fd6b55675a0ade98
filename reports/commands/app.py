"""`lab report`: results of cells collected, judged, and turned into what people and programs read."""

from __future__ import annotations

import typer

from lab.cli.app import STYLE
from reports.commands.collect import collect
from reports.commands.outputs import allure, build, junit, summary
from reports.commands.verdicts import judge, retry

app = typer.Typer(
    help="Collect results of cells, judge them, and write them for people and programs.",
    epilog="A FOLDER is one of `lab report collect`, any folder above some, or the run directory of a lab.",
    add_completion=False,
    **STYLE,
)
for verb in (collect, build, summary, junit, allure, judge, retry):
    app.command()(verb)
