"""`lab compare`: what differs between installations."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from deployers.checks import compare as comparison
from lab.cli.options import Output, OutputOption, option
from lab.count import count
from lab.errors import TestsFailed, UsageError
from lab.terminal.text import Look, format_table, say


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(help="Two or more labs, gone ones too, run directories, or saved descriptions.", metavar="RUN RUN…"),
    ],
    known: Annotated[Path | None, option("--known", help="An earlier comparison (-o json) to leave out.", metavar="FILE")] = None,
    output: OutputOption = Output.text,
) -> None:
    """Print what differs between installations of Karmada.

    Compared are flags, webhooks, RBAC, CRDs, certificates and versions.

    Exit code 0 without differences, 1 with differences (with --known: with new ones).
    """
    if len(runs) < 2:
        raise UsageError("one installation cannot be compared", remedy="name two or more labs")
    installations = comparison.name_apart([comparison.load_installation(run) for run in runs])
    before = comparison.read_known(known) if known else set()
    found = [each for each in comparison.compare(installations) if each.where not in before]
    if output is Output.json:
        print(json.dumps(comparison.document(installations, found), indent=1))
    else:
        look = Look.of(sys.stdout)
        print("\n\n".join("\n".join(format_table(rows, look=look)) for rows in comparison.rows(installations, found).values()))
    summary = count(len(found), "difference")
    say(f"{summary}{' besides the known ones' if known else ''}")
    if found:
        raise typer.Exit(TestsFailed.exit_code)
