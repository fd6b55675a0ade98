"""A chart, and a helm that answers from a script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from deployers.pods.helm import Helm
from lab.machines.scripted import Scripted, ScriptedFailure


def a_chart(folder: Path, *names: str) -> Path:
    """Return a chart with these dependencies in its lock."""
    chart = folder / "karmada"
    chart.mkdir(parents=True)
    (chart / "values.yaml").write_text("{}")
    locked = [{"name": name, "repository": "https://charts.example.org", "version": "2.31.4"} for name in names]
    (chart / "Chart.lock").write_text(yaml.safe_dump({"dependencies": locked}))
    return chart


def helm(folder: Path, pull: ScriptedFailure | Callable[[tuple[str, ...]], str]) -> Helm:
    return Helm(Path("/helm"), Scripted({("/helm", "pull"): pull}), folder / "helm")
