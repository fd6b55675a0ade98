"""`lab rehearse`: execute a workflow on this computer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import option
from lab.terminal.text import Look, format_table, say
from scenarios.ci.rehearsal import stage as stages
from scenarios.commands.checkout import resolve_checkout


def rehearse(
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Its file, as .github/workflows/e2e.yml, or one under --under-test.")],
    event: Annotated[str, typer.Option("--event", help="What triggers it.", metavar="EVENT")] = "pull_request",
    base: Annotated[str, typer.Option("--base", help="The commit that a pull request is against.", metavar="REF")] = "HEAD",
    cell: Annotated[
        list[str] | None, typer.Option("--cell", help="Only these of the planned cells: the report misses the others. May be repeated.")
    ] = None,
    given: Annotated[list[str] | None, typer.Option("--input", help="An input of the workflow, NAME=VALUE; may be repeated.")] = None,
    under_test: Annotated[Path | None, typer.Option("--under-test", help="The repository that calls it.", metavar="PATH")] = None,
    out: Annotated[Path, option("--out", help="Where logs and artifacts go.", metavar="DIR", file_okay=False)] = Path(
        "_artifacts/rehearsal"
    ),
) -> None:
    """Execute a workflow on this computer.

    Every `run:` is executed in order, as on a runner of GitHub; artifacts and caches of the workspace are folders, and caches stay for the
    next rehearsal with the same --out; checkouts and tools are this computer's. Exit code 1 when a job fails.
    """
    inputs = dict(word.partition("=")[::2] for word in given or ())
    theirs = resolve_checkout(under_test)
    github = stages.event_of(event, base, theirs) if theirs else stages.event_of(event, base)
    stage = stages.Stage(out.absolute(), github, cell or (), under_test=theirs)
    result = stages.rehearse(stage, workflow, inputs)
    print("\n".join(format_table(stages.table_of(stage.done), look=Look.of(sys.stdout), styles=STYLES)))
    say(f"{workflow}: {result}")
    raise typer.Exit({"success": 0, "cancelled": 130}.get(result, 1))


STYLES = {"success": ("green",), "failure": ("red",), "cancelled": ("yellow",)}
