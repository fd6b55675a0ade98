"""python -m deployers: what is done with installations that are there, or were.

python -m deployers compare RUN RUN…     what differs between them
python -m deployers options              which path carries which option of a spec, which was run and with what outcome
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from lab.cli.errors import Verbs
from lab.cli.options import Output
from lab.terminal.text import Look, format_table, say

app = typer.Typer(
    name="deployers",
    cls=Verbs,
    help="Karmada installations, and the paths that make them, compared.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def verbs() -> None:
    """Make each verb a word of its own."""


@app.command()
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(help="Two or more labs, gone ones too, run directories, or saved descriptions.", metavar="RUN RUN…"),
    ],
    known: Annotated[Path | None, typer.Option(help="An earlier comparison (-o json): what it has already is left out.")] = None,
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.text,
) -> None:
    """Print what differs between installations: flags, webhooks, RBAC, CRDs, certificates, versions.

    Exit code 0 when nothing does, 1 when something does (with --known: something else than before).
    """
    from deployers.checks import compare as comparison  # noqa: PLC0415 (only the verb that needs it)
    from lab.errors import TestsFailed, UsageError  # noqa: PLC0415

    if len(runs) < 2:
        raise UsageError("there is nothing to compare one installation with", remedy="name two or more labs")
    installations = comparison.name_apart([comparison.load_installation(run) for run in runs])
    before = comparison.read_known(known) if known else set()
    found = [each for each in comparison.compare(installations) if each.where not in before]
    if output is Output.json:
        print(json.dumps(comparison.document(installations, found), indent=1))
    else:
        look = Look.of(sys.stdout)
        print("\n\n".join("\n".join(format_table(rows, look=look)) for rows in comparison.rows(installations, found).values()))
    said = f"{len(found)} differences" if len(found) != 1 else "1 difference"
    say(f"{said}{' besides the known ones' if known else ''}")
    if found:
        raise typer.Exit(TestsFailed.exit_code)


@app.command()
def options(
    results: Annotated[
        Path | None, typer.Option(help="Only outcomes of this file; else the project's own and _runs/conformance.jsonl after it.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.text,
) -> None:
    """Print which path carries which option of a spec, and what came of it where it was run.

    pass, fail, unknown: the last outcome of conformance with that option in the spec. carried: not run yet. —: refused, with the
    reason below; "in part": for some components.
    """
    from deployers.checks.support_matrix import PROVEN, SupportMatrix, document, picture  # noqa: PLC0415
    from lab.run import runs_root  # noqa: PLC0415

    outcomes = SupportMatrix.read(*([results] if results else [PROVEN, runs_root() / SupportMatrix.FILE]))
    print(json.dumps(document(outcomes), indent=1) if output is Output.json else "\n".join(picture(outcomes, look=Look.of(sys.stdout))))


if __name__ == "__main__":
    app()
