"""The verbs of `python -m scenarios`: what of the matrix is to be run, and running it.

matrix      the cells that fit, those that are chosen, and why others are not
durations   how long cells take, learnt from results
upstream    Karmada's own end-to-end suite
"""

from __future__ import annotations

import json
import os
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from lab import settings
from lab.cli.errors import Verbs
from lab.cli.options import (
    BundleOption,
    MirrorOption,
    OfflineOption,
    Output,
    OutputOption,
    ProviderOption,
    ReleaseOption,
    Source,
    SourceOption,
    SpecOption,
    option,
    setting,
)
from lab.errors import UsageError
from lab.run import write_json
from lab.steps import StepOutcome
from lab.terminal.text import Look, format_table, say
from scenarios.matrix import show
from scenarios.matrix.durations import FILE, Durations, parse_shard, read_durations
from scenarios.matrix.plan import Plan, Planner, Selection

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
CheckoutOption = Annotated[Path | None, setting(settings.CHECKOUT)]


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
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write the plan there, as -o json prints it.", metavar="FILE", dir_okay=False)
    ] = None,
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
    document = show.document(plan, planner.durations)
    if out:
        write_json(out, document)
    if github:
        emit(plan, planner)
    elif output is Output.json:
        print(json.dumps(document, indent=1))
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
def durations(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="With results of cells below them.")],
    out: Annotated[Path, typer.Option("--out", help="Where they are kept.", metavar="FILE", dir_okay=False)] = FILE,
) -> None:
    """Add how long cells took to what scenarios/durations.json knows: by it shards are made, and time-outs."""
    found = read_durations(folders)
    Durations.load().learnt(found).save(out)
    say(f"{len(found)} measurements of {len({name for name, _ in found})} cells; kept in {out}")


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
    again: Annotated[bool, typer.Option("--again", help="Once more, if all that failed is the infrastructure's.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab up.")] = False,
    out: Annotated[Path, option("--out", help="Where results go, a folder a cell.", metavar="DIR", file_okay=False)] = Path("_cells"),
    artifacts: Annotated[Path, option("--artifacts", help="Where its commands write.", metavar="DIR", file_okay=False)] = Path(
        "_artifacts"
    ),
    checkout: CheckoutOption = None,
    source: SourceOption = Source.auto,
    offline: OfflineOption = False,
    bundle: BundleOption = None,
    mirror: MirrorOption = None,
) -> None:
    """Run one cell: its lab up, conformance, its tests, results collected, the lab down.

    Results are collected and the lab taken down after a failure and an interrupt, too. The exit code is that of the first
    part that failed. --again is for a cell that was run: what the infrastructure made fail is run a second time, nothing else.
    """
    if again and (only or keep):
        raise UsageError("--again runs all of a cell and takes its lab down", remedy="leave out --only and --keep")
    from scenarios.matrix.run_cell import Job, Supplies

    checkout = existing(checkout)
    supplies = Supplies(source=source.value, offline=offline, bundle=bundle, mirror=mirror)
    job = Job(Planner.load(checkout=checkout).cell(name), out.absolute(), artifacts.absolute(), checkout, supplies)
    code = job.again() if again else job.phase(only.value) if only else job.run(keep=keep)
    raise typer.Exit(code)


@app.command()
def upstream(
    focus: Annotated[str, typer.Option("--focus", help="Only the specs that match.", metavar="REGEXP")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Print the specs, and what is not run or expected to fail and why.")] = False,
    lab: Annotated[str | None, setting(settings.LAB)] = None,
    spec: SpecOption = None,
    provider: ProviderOption = None,
    release: ReleaseOption = None,
    artifacts: Annotated[Path, option("--artifacts", help="Where results go.", metavar="DIR", file_okay=False)] = Path("_artifacts"),
    offline: OfflineOption = False,
    output: OutputOption = Output.text,
) -> None:
    """Run Karmada's own end-to-end suite of the release under test, compiled from its module.

    It is a test of pytest's (scenarios/test_upstream.py); each spec is a case of its JUnit file.
    """
    from scenarios.upstream import command

    asked = command.SuiteRequest(focus, lab, spec, release, artifacts.absolute(), offline, provider)
    planned = command.plan_suite(asked)
    if not listed:
        raise typer.Exit(command.run(asked))
    if output is Output.json:
        print(json.dumps(command.document(planned), indent=1))
    else:
        print(command.plan_text(planned, look=Look.of(sys.stdout)))


@app.command()
def workflows() -> None:
    """Check .github: yamllint, actionlint, zizmor, shellcheck.

    Exit code 1 when one of them complains. One that cannot be had here is said to be unknown.
    """
    from scenarios.ci.lint.report import print_checks
    from scenarios.ci.lint.workflows import check_own

    checks = check_own()
    print_checks(checks, look=Look.of(sys.stdout))
    raise typer.Exit(1 if any(each.outcome is StepOutcome.FAIL for each in checks) else 0)


@app.command()
def repository(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A repository, or a folder of one.")],
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit with 3, too, when a template, an encrypted or another file of a checked kind was not checked."),
    ] = False,
    output: OutputOption = Output.text,
) -> None:
    """Check a repository that installs Karmada: YAML, JSON, manifests, workflows, playbooks, scripts, charts.

    Every file is either checked or listed with the reason. The tools are yamllint, actionlint, zizmor, ansible-lint, shellcheck and helm.

    Exit codes: 0, every file that can be checked was, and is right; 1, something is wrong; 2, a usage error; 3, nothing is wrong, but a
    check that a remedy makes possible was not made: a tool is not installed, a chart's dependencies are missing, a file cannot be read or
    decoded. Files without a remedy (binary, vendored, ignored by git, encrypted, templates outside charts) are listed and do not change
    the exit code, unless --strict is given.
    """
    from scenarios.ci.lint.report import print_lint
    from scenarios.ci.lint.repository import lint_repository

    if not path.is_dir():
        raise UsageError(f"there is no folder {path}", remedy="name a repository that is checked out")
    lint = lint_repository(path.absolute())
    if output is Output.json:
        print(json.dumps(lint.document(strict=strict), indent=1))
    else:
        print_lint(lint, look=Look.of(sys.stdout))
    raise typer.Exit(lint.exit_code(strict=strict))


@app.command()
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
    """Execute a workflow on this computer, step by step, as a runner of GitHub's would.

    Every `run:` is executed; artifacts and caches of the workspace are folders, and caches stay for the next rehearsal with the same
    --out; checkouts and tools are this computer's. Exit code 1 when a job fails.
    """
    from scenarios.ci.rehearsal import stage as stages

    inputs = dict(word.partition("=")[::2] for word in given or ())
    theirs = existing(under_test)
    github = stages.event_of(event, base, theirs) if theirs else stages.event_of(event, base)
    stage = stages.Stage(out.absolute(), github, cell or (), under_test=theirs)
    result = stages.rehearse(stage, workflow, inputs)
    print("\n".join(format_table(stages.table_of(stage.done), look=Look.of(sys.stdout), styles=STYLES)))
    say(f"{workflow}: {result}")
    raise typer.Exit({"success": 0, "cancelled": 130}.get(result, 1))


STYLES = {"success": ("green",), "failure": ("red",), "cancelled": ("yellow",)}
