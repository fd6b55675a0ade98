"""`lab bench`: what a lab costs, and how fast Karmada fails over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.cli.app import STYLE
from lab.cli.options import option
from lab.errors import UsageError
from perf import bench
from perf.commands.ablation import ablation
from perf.commands.compare import compare
from perf.commands.cost_model import cost_model
from perf.commands.diagnosis import diagnosis
from perf.commands.failover import failover
from perf.commands.judge import judge
from perf.commands.kind import kind
from perf.commands.machines import machines
from perf.commands.picture import picture
from perf.commands.save import save_measurements
from perf.usage import describe_machine

HELP = "Measure what a lab costs, or how fast Karmada fails over."
app = typer.Typer(help=HELP, add_completion=False, **{**STYLE, "no_args_is_help": False})
for verb in (kind, machines, failover, compare, ablation, judge, diagnosis, picture):
    app.command()(verb)
app.command("cost-model")(cost_model)


@app.callback(invoke_without_command=True)
def measure_lab(
    context: typer.Context,
    rounds: Annotated[int, option("--rounds", help="How often a lab is brought up.", min=1, metavar="N")] = 3,
    quick: Annotated[bool, option("--quick", help="Leave out two labs side by side and the hollow nodes.")] = False,
    out: Annotated[Path, option("--out", help="Where the results are kept.", metavar="FILE")] = Path("_runs/bench.json"),
) -> None:
    """Measure what a lab costs, or how fast Karmada fails over.

    Without a command: seconds and memory of a default lab, each beside a bare API server measured in the same round.

    Exit code 6 when a target is missed.
    """
    if context.invoked_subcommand is not None:
        sources = [context.get_parameter_source(name) for name in ("rounds", "quick", "out")]
        if any(source is not None and source.name == "COMMANDLINE" for source in sources):
            raise UsageError(f"an option precedes the command {context.invoked_subcommand}", remedy="write options after the command")
        return
    machine = describe_machine()
    figures = bench.measure(rounds, quick=quick)
    save_measurements(figures, machine, out)
    raise typer.Exit(6 if any(figure.verdict == "missed" for figure in figures) else 0)
