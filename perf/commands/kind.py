"""`lab bench kind`: labs of real pods."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import option
from lab.errors import UsageError
from perf import bench_kind
from perf.bench_kind import DEPLOYERS
from perf.commands.save import save_measurements
from perf.usage import describe_machine


def kind(
    rounds: Annotated[int, option("--rounds", help="How often; one takes a quarter of an hour.", min=1, metavar="N")] = 1,
    deployer: Annotated[
        list[str] | None, option("--deployer", help=f"Only this one of {', '.join(DEPLOYERS)}; may be repeated.", metavar="NAME")
    ] = None,
    clusters: Annotated[bool, option("--clusters", help="Clusters only, without Karmada.")] = False,
    out: Annotated[Path, option("--out", help="Where the results are kept.", metavar="FILE")] = Path("_runs/bench-kind.json"),
) -> None:
    """Measure labs on kind, by every way to install Karmada.

    Each is measured beside one kind cluster.

    Exit code 6 when a target is missed or a lab with a target did not come up.
    """
    if unknown := [name for name in deployer or () if name not in DEPLOYERS]:
        raise UsageError(f"unknown deployer {', '.join(unknown)}", remedy=f"one of: {', '.join(DEPLOYERS)}")
    machine = describe_machine()
    figures = bench_kind.measure(rounds, () if clusters else deployer or DEPLOYERS)
    save_measurements(figures, machine, out)
    raise typer.Exit(6 if any(figure.verdict != "ok" and (figure.most or figure.least) for figure in figures) else 0)
