"""Values for shell completion, read from run directories: no heavy import, no request."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import typer


def runs_folder() -> Path:
    """Return where run directories are: as `lab.run.runs_root`, an import of which takes longer than a completion may."""
    return Path(os.environ.get("KARMADA_LAB_RUNS") or "_runs").absolute()


def complete_labs(incomplete: str) -> Iterator[str]:
    """Yield the names of existing labs."""
    yield from sorted(path.parent.name for path in runs_folder().glob("*/run.json") if path.parent.name.startswith(incomplete))


def complete_components(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Yield the programs of the lab that --lab names: member1/etcd."""
    for path in sorted((find_run(ctx) / "processes").glob("*.json")):
        name = path.stem.replace("+", "/")
        if name.startswith(incomplete):
            yield name


def complete_clusters(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Yield the clusters of the lab that --lab names, Karmada among them."""
    for path in sorted((find_run(ctx) / "kubeconfig").glob("*.yaml")):
        if path.stem.startswith(incomplete):
            yield path.stem


def complete_members(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Yield the members that the lab of --lab was asked for."""
    try:
        asked = json.loads((find_run(ctx) / "run.json").read_bytes())["asked"]["lab"]["members"]
        yield from (member["name"] for member in asked if member["name"].startswith(incomplete))
    except (OSError, ValueError, KeyError, TypeError):
        return


def complete_log_targets(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Yield what `lab logs` takes: clusters, and programs once there is a slash."""
    if "/" in incomplete:
        yield from complete_components(ctx, incomplete)
        return
    yield from dict.fromkeys(name.partition("/")[0] for name in complete_components(ctx, incomplete))


def find_run(ctx: typer.Context) -> Path:
    """Return the run directory that the arguments typed so far select."""
    return runs_folder() / str(ctx.params.get("lab") or os.environ.get("KARMADA_LAB") or "default")
