"""`lab cell`: run one cell of the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import SupplyRequest, option, take_options
from lab.errors import UsageError
from scenarios.commands.checkout import CheckoutOption, resolve_checkout
from scenarios.matrix.plan import Planner
from scenarios.matrix.run_cell import Job


class Phase(str, Enum):
    """A part of running a cell, by which a workflow makes steps of it."""

    up = "up"
    conformance = "conformance"
    test = "test"
    collect = "collect"
    down = "down"


@dataclass(frozen=True, kw_only=True)
class CellRequest(SupplyRequest):
    """The arguments and options of `lab cell`."""

    name: Annotated[str, typer.Argument(metavar="CELL", help="provider-deployer-release-kubernetes-suite; `matrix` lists them.")]
    only: Annotated[Phase | None, typer.Option("--only", help="This part alone; those before must have been done.")] = None
    again: Annotated[bool, typer.Option("--again", help="Once more, if all that failed is the infrastructure's.")] = False
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab up.")] = False
    out: Annotated[Path, option("--out", help="Where results go, a folder a cell.", metavar="DIR", file_okay=False)] = Path("_cells")
    artifacts: Annotated[Path, option("--artifacts", help="Where its commands write.", metavar="DIR", file_okay=False)] = Path("_artifacts")
    checkout: CheckoutOption = None


@take_options(CellRequest)
def cell(asked: CellRequest) -> None:
    """Run one cell, from nothing to collected results.

    Its lab up, conformance, its tests, results collected, the lab down.

    Results are collected and the lab is taken down also after a failure or an interrupt. The exit code is that of the first failed
    part. --again runs a cell a second time when the infrastructure caused all its failures.
    """
    if asked.again and (asked.only or asked.keep):
        raise UsageError("--again runs all of a cell and takes its lab down", remedy="leave out --only and --keep")
    checkout = resolve_checkout(asked.checkout)
    job = Job(Planner.load(checkout=checkout).cell(asked.name), asked.out.absolute(), asked.artifacts.absolute(), checkout, asked.choices)
    code = job.again() if asked.again else job.phase(asked.only.value) if asked.only else job.run(keep=asked.keep)
    raise typer.Exit(code)
