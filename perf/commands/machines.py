"""`lab bench machines`: hosts, virtual machines, and Karmada on several hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import option
from perf import bench_machines
from perf.commands.save import save_measurements
from perf.usage import describe_machine


def machines(
    rounds: Annotated[int, option("--rounds", help="How often; one takes some five minutes.", min=1, metavar="N")] = 1,
    out: Annotated[Path, option("--out", help="Where the results are kept.", metavar="FILE")] = Path("_runs/bench-machines.json"),
) -> None:
    """Measure hosts, VMs, and Karmada on several hosts.

    Each is measured beside one host, or beside this computer, in the same round.

    Exit code 6 when a target is missed.
    """
    machine = describe_machine()
    figures = bench_machines.measure(rounds)
    save_measurements(figures, machine, out)
    raise typer.Exit(6 if any(figure.verdict == "missed" for figure in figures) else 0)
