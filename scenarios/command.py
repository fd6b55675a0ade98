"""The verbs of `python -m scenarios`: what of the matrix is to be run, and running it.

matrix      the cells that fit, those that are chosen, and why others are not
durations   how long cells take, learnt from results
"""

from __future__ import annotations

import json
import os
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from lab.commands.options import BundleOption, MirrorOption, OfflineOption, Output, OutputOption, Source, SourceOption, option
from lab.console import Look, say
from lab.errors import UsageError
from lab.verbs import Verbs
from scenarios.planner import show
from scenarios.planner.durations import FILE, Durations, measured, parse_shard
from scenarios.planner.plan import Plan, Planner, Selection

app = typer.Typer(
    name="python -m scenarios",
    cls=Verbs,
    help="The matrix: provider × deployer × release × Kubernetes × suite.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
CheckoutOption = Annotated[
    Path | None, option("--checkout", help="A checkout of Karmada: the release of every cell, built and tested.", metavar="PATH")
]


@app.command()
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
    output: OutputOption = Output.text,
) -> None:
    """List the cells that are to be run, and why the others are not.

    With $GITHUB_OUTPUT, --github also writes `matrix` and `count` there.
    """
    if nightly and pull_request:
        raise UsageError("--nightly and --pull-request ask for two different selections", remedy="leave one out")
    part = parse_shard(shard) if shard else None
    planner = Planner.load(checkout=existing(checkout), here=here)
    selection: Selection = "pull-request" if pull_request else "nightly" if nightly else "all"
    plan = planner.plan(selection, since=changed_since or None, part=part, only=only or ())
    if github:
        emit(plan, planner)
    elif output is Output.json:
        print(json.dumps(show.document(plan, planner.durations), indent=1))
    else:
        print("\n".join(show.text(plan, planner.durations, look=Look.of(sys.stdout))))


def emit(plan: Plan, planner: Planner) -> None:
    """Print a plan for a workflow, give it to the job's later steps, and tell people on stderr."""
    if len(plan.chosen) > show.GITHUB_MOST:
        raise UsageError(
            f"{len(plan.chosen)} cells are more than the {show.GITHUB_MOST} jobs that GitHub makes of a matrix",
            remedy=f"--shard 1/{-(-len(plan.chosen) // show.GITHUB_MOST)} and so on, each in a job of its own, or --only",
        )
    made = json.dumps(show.github(plan, planner.matrix, planner.durations))
    print(made)
    if path := os.environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a") as file:
            file.write(f"matrix={made}\ncount={len(plan.chosen)}\n")
    for line in show.text(plan, planner.durations, look=Look.of(sys.stderr)):
        say(line)


def existing(checkout: Path | None) -> Path | None:
    """Return a checkout's absolute path. UsageError when it is no directory; that it is Karmada's is found when it is built."""
    if checkout is not None and not checkout.is_dir():
        raise UsageError(f"there is no checkout {checkout}", remedy="name a directory with Karmada's sources")
    return checkout and checkout.absolute()


@app.command()
def durations(folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="With results of cells below them.")]) -> None:
    """Learn how long cells take, and write scenarios/durations.json."""
    found = measured(folders)
    Durations.load().learnt(found).save()
    say(f"{len(found)} measurements of {len({name for name, _ in found})} cells; kept in {FILE}")


class Phase(str, Enum):
    """A part of running a cell, by which a workflow makes steps of it."""

    up = "up"
    conformance = "conformance"
    test = "test"
    collect = "collect"
    down = "down"


@app.command()
def cell(
    name: Annotated[str, typer.Argument(metavar="CELL", help="provider-deployer-release-kubernetes-suite; `matrix` lists them.")],
    only: Annotated[Phase | None, typer.Option("--only", help="This part alone; those before must have been done.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab up.")] = False,
    out: Annotated[Path, option("--out", help="Where results go, a folder a cell.", metavar="DIR")] = Path("_cells"),
    artifacts: Annotated[Path, option("--artifacts", help="Where its commands write.", metavar="DIR")] = Path("_artifacts"),
    checkout: CheckoutOption = None,
    source: SourceOption = Source.auto,
    offline: OfflineOption = False,
    bundle: BundleOption = None,
    mirror: MirrorOption = None,
) -> None:
    """Run one cell: its lab up, conformance, its tests, results collected, the lab down.

    Results are collected and the lab taken down after a failure and an interrupt, too. The exit code is that of the first
    part that failed.
    """
    from scenarios.cell import Job, Supplies  # noqa: PLC0415 (planning needs none of it)

    checkout = existing(checkout)
    supplies = Supplies(source=source.value, offline=offline, bundle=bundle, mirror=mirror)
    job = Job(Planner.load(checkout=checkout).cell(name), out.absolute(), artifacts.absolute(), checkout, supplies)
    code = job.phase(only.value) if only else job.run(keep=keep)
    raise typer.Exit(code)
