"""`lab bench cost-model`: CPU of a failover by size."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import option
from perf.cost_model import PARTS, UNITS, fit_model, format_prediction, read_results
from perf.request import RESULTS


def cost_model(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="[FOLDER]…", help=f"Where trials are kept.  [default: {RESULTS}]")] = None,
    profile: Annotated[str, option("--profile", help="Use trials of this profile.")] = "tuned",
    members: Annotated[int, option("--members", help="Of the prediction.", min=2, metavar="N")] = 100,
    nodes: Annotated[int, option("--nodes", help="Of the prediction.", min=1, metavar="N")] = 5000,
    pods: Annotated[int, option("--pods", help="Of the prediction.", min=1, metavar="N")] = 20_000,
    replicas: Annotated[int, option("--replicas", help="Of the prediction.", min=1, metavar="N")] = 100,
    seconds: Annotated[int, option("--seconds", help="Of the prediction.", min=1, metavar="N")] = 300,
) -> None:
    """Fit CPU by size to saved trials; predict other sizes."""
    results = [each for each in read_results(folders or [RESULTS]) if each["profile"] == profile and not each["changes"]]
    models = [fit_model(results, part) for part in PARTS]
    for model in models:
        parts = ", ".join(f"{1000 * each:.2f} {UNITS[name]}" for name, each in model.coefficients.items())
        print(f"{model.part}: {parts}  (from {model.trials} trials, ± {model.error:.0%} on unseen ones)")
    sizes = {"members": members, "nodes": nodes, "pods": pods, "replicas": replicas}
    print("\n".join(format_prediction(models, **sizes, seconds=float(seconds))))
