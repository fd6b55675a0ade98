"""`lab matrix`: the cells that fit, the chosen ones, and why the others are left out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import Output, OutputOption, option
from lab.errors import UsageError
from lab.run import write_json
from lab.terminal.text import Look, say
from scenarios.commands.checkout import CheckoutOption, resolve_checkout
from scenarios.matrix import show
from scenarios.matrix.durations import parse_shard
from scenarios.matrix.plan import Plan, Planner, Selection


def matrix(
    github: Annotated[bool, typer.Option("--github", help="Print the value of a workflow's strategy.matrix; the rest to stderr.")] = False,
    pull_request: Annotated[bool, typer.Option("--pull-request", help="Few cells in which every two values meet.")] = False,
    nightly: Annotated[bool, typer.Option("--nightly", help="Everything that fits (the default).")] = False,
    changed_since: Annotated[
        str | None, option("--changed-since", help="Only what the changes since then can change.", metavar="REF")
    ] = None,
    shard: Annotated[str | None, option("--shard", help="One of n parts of about equal length.", metavar="I/N")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="A value of any part, as kind or smoke; may be repeated.")] = None,
    here: Annotated[bool, typer.Option("--here", help="Leave out what this computer cannot do, too.")] = False,
    checkout: CheckoutOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write the plan there, as -o json prints it.", metavar="FILE", dir_okay=False)
    ] = None,
    output: OutputOption = Output.text,
) -> None:
    """List the cells to run, and why the others are left out.

    With $GITHUB_OUTPUT, --github also writes `matrix` and `count` there.
    """
    if nightly and pull_request:
        raise UsageError("--nightly and --pull-request ask for two different selections", remedy="leave one out")
    part = parse_shard(shard) if shard else None
    planner = Planner.load(checkout=resolve_checkout(checkout), here=here)
    selection: Selection = "pull-request" if pull_request else "nightly" if nightly else "all"
    plan = planner.plan(selection, since=changed_since or None, part=part, only=only or ())
    document = show.make_document(plan, planner.durations)
    if out:
        write_json(out, document)
    if github:
        emit(plan, planner)
    elif output is Output.json:
        print(json.dumps(document, indent=1))
    else:
        print("\n".join(show.format_plan(plan, planner.durations, look=Look.of(sys.stdout))))


def emit(plan: Plan, planner: Planner) -> None:
    """Print a plan for a workflow, give it to the job's later steps, and tell people on stderr."""
    if len(plan.chosen) > show.GITHUB_MOST:
        raise UsageError(
            f"{len(plan.chosen)} cells are more than the {show.GITHUB_MOST} jobs that GitHub makes of a matrix",
            remedy=f"--shard 1/{-(-len(plan.chosen) // show.GITHUB_MOST)} and so on, each in a job of its own, or --only",
        )
    made = json.dumps(show.format_matrix(plan, planner.matrix, planner.durations))
    print(made)
    if path := os.environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a") as file:
            file.write(f"matrix={made}\ncount={len(plan.chosen)}\n")
    for line in show.format_plan(plan, planner.durations, look=Look.of(sys.stderr)):
        say(line)
