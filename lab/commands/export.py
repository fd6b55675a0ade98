"""`lab export`: what is known of a running lab, in files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lab import evidence
from lab.cli.app import STYLE
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption
from lab.errors import ProvisionError, UsageError
from lab.hints import command
from lab.run import Run
from lab.terminal.text import say

REASON = "export"
app = typer.Typer(help="Write logs and objects of a lab into a directory.", add_completion=False, **STYLE)
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the directory is made.", file_okay=False)]


@app.callback()
def root() -> None:
    """Write logs and objects of a lab into a directory."""


@app.command()
def logs(folder: Folder = Path(), lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """Write the evidence of a lab into a new directory.

    Logs, events, objects of every cluster, state of every program.

    It is what a failed test leaves, with secrets masked. A lab that does not run is exported as far as its files go.

    Example: lab export logs ./evidence --lab mine
    """
    run = Run.load(lab)
    if folder.exists() and not folder.is_dir():
        raise UsageError("the target of an export is a directory", where=str(folder))
    made = evidence.collect(run, REASON, into=folder.absolute())
    if not (made / "index.json").is_file():
        raise ProvisionError("exporting failed: nothing could be written", where=str(made), remedy=command("doctor"))
    if output is Output.json:
        print((made / "index.json").read_text())
    else:
        print(made)
        missing = json.loads((made / "index.json").read_text()).get("missing") or {}
        say(f"{len(missing)} parts are missing: {made / 'index.json'} says why" if missing else "complete; secrets are masked")
