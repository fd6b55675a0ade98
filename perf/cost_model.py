"""What a failover costs by size: a model fitted from saved trials of different shapes, with its error, and what it predicts.

    python -m perf.cost_model [FOLDER…] [--members 100] [--nodes 5000] [--pods 20000] [--replicas 100]

CPU seconds of Karmada's programs and of the survivor's are taken to be a sum of what each binding, each pod, each renewal of a node's
lease and each second by itself costs; no part may be negative. Each trial says two things: what went by while nothing moved (fault to
taint), which is seconds and renewals alone, and what moving took. The error is what the fit misses of a whole trial that it has not seen
(leave one out). Nothing is said from fewer trials than unknowns, or by a model that misses too much; a prediction far outside of what
was measured says how far.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab.errors import LabError, UsageError
from lab.hollow import lease_seconds
from perf.report import RESULT
from perf.result import UNLIKE
from perf.shapes import SURVIVOR

UNITS = {"bindings": "ms a binding", "pods": "ms a pod", "renewals": "ms a lease renewal", "seconds": "ms a second"}
PARTS = {"Karmada": ("bindings", "pods", "seconds"), "the survivor": ("bindings", "pods", "renewals", "seconds")}
"""What each part's cost is made of. Karmada sees no node."""
PROGRAMS = {"Karmada": "karmada/", "the survivor": f"{SURVIVOR}/"}
KUBELET_RENEWS = 10.0
"""Seconds between two renewals of a real node's lease. kwok's are fewer where there are many nodes (lab.hollow)."""
CREDIBLE = 0.25
"""The error beyond which a model predicts nothing."""
SHORTEST = 2.0
"""Seconds that must go by for their CPU to be told from that of reading it."""
FAR = 3.0
"""Times the largest shape that was measured, beyond which a prediction is called an extrapolation."""
Json = Mapping[str, Any]
Vector = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class CostModel:
    """CPU seconds of one part of a lab, as coefficients of the features; `error` is the median relative one of unseen trials."""

    part: str
    coefficients: Mapping[str, float]
    trials: int
    error: float
    largest: Mapping[str, float]

    def predict(self, size: Mapping[str, float]) -> float:
        """Return the CPU seconds of a failover of this size."""
        return sum(each * size[name] for name, each in self.coefficients.items())

    def compute_extrapolation(self, size: Mapping[str, float]) -> float:
        """Return how many times larger than any trial this is, in that of what costs anything in which it is farthest out."""
        return max((size[name] / self.largest[name] for name, each in self.coefficients.items() if each), default=0.0)


def list_spans(result: Json, part: str) -> list[tuple[dict[str, float], float]]:
    """Return what a trial says of a part of the lab: for each span of it what went by, and the CPU seconds that the part took."""
    sizes, found = result["sizes"], []
    nodes = sizes["survivor_nodes"] or sizes["nodes"]
    for span, moved in (("waiting", 0.0), ("moving", 1.0)):
        used = result["cpu_seconds"][span]
        seconds = float(used.get("of", 0.0))
        spent = sum(each for name, each in used.items() if name.startswith(PROGRAMS[part]))
        if seconds < SHORTEST or not spent:
            continue
        there = {"bindings": moved * sizes["applications"], "pods": moved * sizes["pods"]}
        found.append(({**there, "renewals": seconds * nodes / (lease_seconds(nodes) / 4), "seconds": seconds}, spent))
    return found


def select_usable(results: Sequence[Json]) -> list[Json]:
    """Return the trials that ended well, on nodes of kwok, with nobody else calling and little else going on: alike but for their size."""
    good = [each for each in results if each["verdict"] in {"ok", "missed"} and each.get("cpu_seconds", {}).get("moving")]
    quiet = [each for each in good if (each.get("others", {}).get("failover") or 0.0) <= UNLIKE]
    return [each for each in quiet if each["nodes"]["backend"] == "kwok" and not each["load_ms"] and each["sizes"]["mode"] == "push"]


def fit_model(results: Sequence[Json], part: str) -> CostModel:
    """Fit one part. UsageError when there are too few trials, or all of one shape."""
    there, parts = select_usable(results), PARTS[part]
    seen = [(trial, size, spent) for trial, each in enumerate(there) for size, spent in list_spans(each, part)]
    rows = np.array([[size[name] for name in parts] for _trial, size, _spent in seen], dtype=float).reshape(-1, len(parts))
    shapes = {(each["sizes"]["applications"], each["sizes"]["pods"]) for each in there}
    if len(there) <= len(parts) or len(shapes) < 2:
        raise UsageError(
            f"{len(there)} good trials of {len(shapes)} sizes: a model of {len(parts)} unknowns needs at least {len(parts) + 1} of 2",
            remedy="make bench-failover SHAPE=tiny, SHAPE=small, … with other --applications and --replicas",
        )
    wanted = np.array([spent for _trial, _size, spent in seen])
    found, most = (dict(zip(parts, values.tolist(), strict=True)) for values in (solve(rows, wanted), rows.max(axis=0)))
    return CostModel(part, found, len(there), compute_error(rows, wanted, np.array([trial for trial, _size, _spent in seen])), most)


def solve(rows: Vector, wanted: Vector) -> Vector:
    """Return the coefficients, none below zero, that miss least in relative terms. With so few every choice of zeros is tried."""
    weight = 1.0 / np.maximum(wanted, 1e-9)
    best, least = np.zeros(rows.shape[1]), np.inf
    for size in range(1, rows.shape[1] + 1):
        for chosen in itertools.combinations(range(rows.shape[1]), size):
            some = np.linalg.lstsq(rows[:, chosen] * weight[:, None], wanted * weight, rcond=None)[0]
            if (some < 0).any():
                continue
            coefficients = np.zeros(rows.shape[1])
            coefficients[list(chosen)] = some
            miss = float((((rows @ coefficients) * weight - 1.0) ** 2).sum())
            if miss < least - 1e-12:
                best, least = coefficients, miss
    return best


def compute_error(rows: Vector, wanted: Vector, trials: Vector) -> float:
    """Return the median relative error of predicting the whole of each trial from the others."""
    errors = []
    for trial in np.unique(trials):
        others = trials != trial
        guess, real = float((rows[~others] @ solve(rows[others], wanted[others])).sum()), float(wanted[~others].sum())
        errors.append(abs(guess - real) / max(real, 1e-9))
    return round(float(np.median(errors)), 4)


def format_prediction(models: Sequence[CostModel], *, members: int, nodes: int, pods: int, replicas: int, seconds: float) -> list[str]:
    """Return in sentences what losing one of so many members would cost, its pods spread over all others."""
    whole = {"bindings": pods / replicas, "pods": float(pods), "renewals": seconds * nodes / KUBELET_RENEWS, "seconds": seconds}
    share = {**whole, "bindings": whole["bindings"] / (members - 1), "pods": pods / (members - 1)}
    what = f"{pods} pods in {pods / replicas:.0f} bindings"
    lines = [f"one of {members} members of {nodes} nodes is lost with {what}; all move within {seconds:g} s"]
    for model in models:
        size = whole if model.part == "Karmada" else share
        needed = model.predict(size)
        where = model.part if model.part == "Karmada" else f"each of {members - 1} survivors"
        if model.error > CREDIBLE:
            lines.append(f"  {where}: not predicted: the model misses an unseen trial by {model.error:.0%}, more than {CREDIBLE:.0%}")
            continue
        far = model.compute_extrapolation(size)
        outside = f"; {far:.0f} × beyond what was measured" if far > FAR else ""
        lines.append(f"  {where}: {needed:.0f} CPU s ± {model.error:.0%}, {needed / seconds:.2f} cores for that long{outside}")
    return lines


def read_results(folders: Sequence[Path]) -> list[Json]:
    """Return the saved results in these folders, or one below them. What cannot be read is passed over."""
    found = []
    for path in sorted(
        {path for folder in folders for pattern in (RESULT, f"*/{RESULT}", f"*/*/{RESULT}") for path in folder.glob(pattern)}
    ):
        try:
            saved = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if saved.get("kind") == "failover":
            found.append(saved)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Fit, print, predict; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m perf.cost_model", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="*", default=[Path("_artifacts/failover")], help="where trials are kept")
    parser.add_argument("--profile", default="tuned", help="trials of this profile (default tuned)")
    for name, default in (("members", 100), ("nodes", 5000), ("pods", 20_000), ("replicas", 100), ("seconds", 300)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"of the prediction (default {default})")
    options = parser.parse_args(argv)
    results = [each for each in read_results(options.folders) if each["profile"] == options.profile and not each["changes"]]
    try:
        models = [fit_model(results, part) for part in PARTS]
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for model in models:
        parts = ", ".join(f"{1000 * each:.2f} {UNITS[name]}" for name, each in model.coefficients.items())
        print(f"{model.part}: {parts}  (from {model.trials} trials, ± {model.error:.0%} on unseen ones)")
    sizes = {name: getattr(options, name) for name in ("members", "nodes", "pods", "replicas")}
    print("\n".join(format_prediction(models, **sizes, seconds=float(options.seconds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
