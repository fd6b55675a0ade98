"""`lab report collect`: one job's results in one folder, masked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from lab.cli.options import option, take_options
from lab.steps import StepOutcome
from lab.terminal.text import say
from reports.cell import PARTS
from reports.collect import Sources
from reports.collect import collect as collect_cell
from reports.commands.inputs import OutFolderOption, translate_errors

ASKED = "Else what the lab was created with."


@dataclass(frozen=True)
class CollectRequest:
    """The options of `lab report collect`."""

    out: OutFolderOption
    lab: Annotated[str | None, option("--lab", help="Its name or run directory; else found in --artifacts.", metavar="LAB|DIR")] = None
    junit: Annotated[Path | None, option("--junit", help="What pytest --junitxml wrote.", metavar="FILE")] = None
    artifacts: Annotated[Path | None, option("--artifacts", help="What pytest --artifacts wrote: evidence.", metavar="DIR")] = None
    allure: Annotated[Path | None, option("--allure", help="What pytest --alluredir wrote.", metavar="DIR")] = None
    perf: Annotated[list[Path], option("--perf", help="Results of a benchmark; repeatable.", metavar="PATH")] = field(default_factory=list)
    log: Annotated[list[Path], option("--log", help="What a command of the job printed; repeatable.", metavar="FILE")] = field(
        default_factory=list
    )
    name: Annotated[str | None, option("--name", help="The cell; else made of its parts.", metavar="CELL")] = None
    provider: Annotated[str | None, option("--provider", help=ASKED, metavar="NAME")] = None
    deployer: Annotated[str | None, option("--deployer", help=ASKED, metavar="NAME")] = None
    release: Annotated[str | None, option("--release", help=ASKED, metavar="VERSION")] = None
    kubernetes: Annotated[str | None, option("--kubernetes", help=ASKED, metavar="VERSION")] = None
    suite: Annotated[str | None, option("--suite", help="The tests that were run.", metavar="NAME")] = None
    run: Annotated[str | None, option("--run", help="The run of the whole matrix; else $GITHUB_RUN_ID, else local.", metavar="ID")] = None
    attempt: Annotated[int | None, option("--attempt", help="Else $GITHUB_RUN_ATTEMPT, else 1.", metavar="N")] = None
    revision: Annotated[str, option("--revision", help="What was tested; else $GITHUB_SHA.", metavar="COMMIT")] = ""
    exit_code: Annotated[int | None, option("--exit-code", help="Of the first command that failed, or 0.", metavar="N")] = None
    started: Annotated[
        float | None, option("--started", help="When the job started (Unix time); else when its lab was created.", metavar="SECONDS")
    ] = None
    outcome: Annotated[StepOutcome | None, option("--outcome", help="Instead of the outcome of the results.")] = None
    reason: Annotated[str | None, option("--reason", help="Why it has that outcome.", metavar="TEXT")] = None


@take_options(CollectRequest)
def collect(request: CollectRequest) -> None:
    """Collect a job's results into one masked folder.

    A job uploads it. An existing folder is replaced. Missing results are listed in it and do not fail the command.
    """
    sources = Sources(
        lab=request.lab,
        junit=request.junit,
        artifacts=request.artifacts,
        allure=request.allure,
        perf=tuple(request.perf),
        logs=tuple(request.log),
        parts={part: value for part in PARTS if (value := getattr(request, part))},
        name=request.name,
        run=request.run,
        attempt=request.attempt,
        revision=request.revision,
        exit_code=request.exit_code,
        outcome=request.outcome,
        reason=request.reason,
        started=request.started,
    )
    with translate_errors():
        cell = collect_cell(sources, request.out)
    say(f"{cell.name}: {cell.outcome.value}{f' ({cell.reason})' if cell.reason else ''}; {request.out}")
    for what, found in (("missing", cell.missing), ("damaged", cell.torn), ("omitted", cell.left_out)):
        for name, why in found.items():
            say(f"  {what}: {name}: {why}")
