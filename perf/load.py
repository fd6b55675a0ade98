"""Load on the Karmada API during a trial: locust as a program of the lab, with workers of its own, and what its requests took by phase.

Locust patches the whole standard library of its process, so it has one; it belongs to the lab's supervisor like any other program and ends
with it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deployers.karmada import Karmada
from lab import component
from lab.component import Component
from lab.errors import NotPossible
from lab.import_root import import_root
from lab.ports import ports_of
from lab.wait import NotYet, until
from perf import applications
from perf.timeline import Timeline, compute_quantiles

OWN = "perf-load"
WORKERS = 2
Request = tuple[float, str, float, bool]
"""End (seconds since the trial began), name, milliseconds, success."""
WINDOWS = (("before", None, "T0"), ("detect", "T0", "T3"), ("move", "T3", "T7"), ("start", "T7", "T8"), ("after", "T8", None))


def start_users(karmada: Karmada, users: int, watched: str) -> Path:
    """Start users that read and watch a namespace; return the folder of their records once the first has read something."""
    if find_spec("locust") is None:  # imported it would patch this process, its threads and locks included
        raise NotPossible("load needs locust, which is not installed", remedy='pip install "karmada-lab[perf]"')
    applications.create_namespace(karmada.api, OWN)
    folder = karmada.run.folder("data", "perf", "load")
    port = str(ports_of(karmada.run, "perf-load", ["master"])["master"])
    program = Component(
        name="perf/locust",
        binary=Path(sys.executable),
        args=("-m", "locust", "--headless", "--only-summary"),
        flags={
            "locustfile": str(Path(__file__).with_name("locustfile.py")),
            "processes": str(WORKERS),
            "master-bind-host": "127.0.0.1",
            "master-bind-port": port,
            "master-port": port,
            "users": str(users),
            "spawn-rate": str(users),
            "loglevel": "WARNING",
        },
        env={
            "PYTHONPATH": str(import_root()),
            "LOAD_KUBECONFIG": str(karmada.kubeconfig),
            "LOAD_FOLDER": str(folder),
            "LOAD_WATCHED": watched,
            "LOAD_NAMESPACE": OWN,
        },
    )
    component.start(program, karmada.run)

    def at_work() -> None:
        if not any(row for path in folder.glob("*.jsonl") for row in path.read_text().splitlines() if "read" in row):
            raise NotYet("no user has read anything yet")

    until(at_work, what="locust's users send requests", within=60.0)
    return folder


def read_requests(folder: Path, *, began: float) -> list[Request]:
    """Return every recorded request; skip a truncated last line."""
    rows: list[Request] = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                at, name, took, well = json.loads(line)
            except ValueError:
                continue
            rows.append((round(at - began, 3), str(name), float(took), bool(well)))
    return sorted(rows)


def summarize_by_phase(requests: Sequence[Request], seen: Timeline, zero: float) -> dict[str, dict[str, dict[str, Any]]]:
    """Return, per phase of the failover and kind of request, the count, quantiles in milliseconds and the number of failures."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for phase, begin, end in WINDOWS:
        since = float("-inf") if begin is None else seen.points[begin]
        until_ = float("inf") if end is None else seen.points[end]
        if since is None or until_ is None:
            continue
        within = [row for row in requests if since <= row[0] - zero < until_ and row[1] != "create"]
        found[phase] = {
            name: {
                **compute_quantiles(row[2] for row in within if row[1] == name),
                "failed": sum(row[1] == name and not row[3] for row in within),
            }
            for name in sorted({row[1] for row in within})
        }
    return found
