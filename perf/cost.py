"""What a failover costs by size: a model fitted from saved trials of different shapes, with its error, and what it predicts.

    python -m perf.cost [FOLDER…] [--members 100] [--nodes 5000] [--pods 20000] [--replicas 100]

CPU seconds from fault to last pod, of Karmada's programs and of the survivor's, are taken to be a sum of what each binding, each pod and
each node a second costs; no part may be negative. The error is what the fit misses when it predicts a trial that it has not seen (leave
one out). Nothing is said from fewer trials than unknowns, and a prediction far outside of what was measured says how far.
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
from perf.report import RESULT
from perf.shapes import SURVIVOR

FEATURES = ("bindings", "pods", "node seconds")
UNITS = {"bindings": "ms a binding", "pods": "ms a pod", "node seconds": "ms a node and second"}
PARTS = {"Karmada": "karmada/", "the survivor": f"{SURVIVOR}/"}
FAR = 3.0
"""Times the largest shape that was measured, beyond which a prediction is called an extrapolation."""
Json = Mapping[str, Any]
Vector = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Model:
    """CPU seconds of one part of a lab, as coefficients of the features; `error` is the median relative one of unseen trials."""

    part: str
    coefficients: tuple[float, ...]
    trials: int
    error: float
    largest: tuple[float, ...]

    def predict(self, features: Sequence[float]) -> float:
        """Return the CPU seconds of a failover of this size."""
        return float(np.dot(self.coefficients, features))

    def far(self, features: Sequence[float]) -> float:
        """Return how many times larger than any trial this is, in the feature in which it is farthest out."""
        return max(there / most for there, most in zip(features, self.largest, strict=True) if most)


def features(result: Json) -> tuple[float, ...]:
    """Return the size of a trial. Node seconds are those of the survivor's nodes, whose leases are renewed all the while."""
    sizes = result["sizes"]
    nodes = sizes["survivor_nodes"] or sizes["nodes"]
    return float(sizes["applications"]), float(sizes["pods"]), float(nodes) * float(result["total_seconds"])


def spent(result: Json, part: str) -> float:
    """Return the CPU seconds that a part of the lab spent from T0 to T8."""
    per_pod = sum(ms for name, ms in result["cpu_ms_per_pod"].items() if name.startswith(PARTS[part]))
    return float(per_pod * result["sizes"]["pods"] / 1000)


def usable(results: Sequence[Json]) -> list[Json]:
    """Return the trials that ended well, on nodes of kwok and with nobody else calling: those that are alike but for their size."""
    good = [each for each in results if each["verdict"] in {"ok", "missed"} and each["total_seconds"] and each["cpu_ms_per_pod"]]
    return [each for each in good if each["nodes"]["backend"] == "kwok" and not each["load_ms"]]


def fitted(results: Sequence[Json], part: str) -> Model:
    """Fit one part. UsageError when there are too few trials, or all of one shape."""
    there = usable(results)
    rows = np.array([features(each) for each in there], dtype=float).reshape(-1, len(FEATURES))
    shapes = {tuple(row[:2]) for row in rows.tolist()}
    if len(there) <= len(FEATURES) or len(shapes) < 2:
        raise UsageError(
            f"{len(there)} good trials of {len(shapes)} sizes: a model of {len(FEATURES)} unknowns needs at least {len(FEATURES) + 1} of 2",
            remedy="make bench-failover SHAPE=tiny, SHAPE=small, … with other --applications and --replicas",
        )
    wanted = np.array([spent(each, part) for each in there])
    return Model(part, tuple(solved(rows, wanted).tolist()), len(there), missed(rows, wanted), tuple(rows.max(axis=0).tolist()))


def solved(rows: Vector, wanted: Vector) -> Vector:
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


def missed(rows: Vector, wanted: Vector) -> float:
    """Return the median relative error of predicting each trial from the others."""
    errors = []
    for left_out in range(len(wanted)):
        others = np.arange(len(wanted)) != left_out
        guess = float(rows[left_out] @ solved(rows[others], wanted[others]))
        errors.append(abs(guess - wanted[left_out]) / max(wanted[left_out], 1e-9))
    return round(float(np.median(errors)), 4)


def prediction(models: Sequence[Model], *, members: int, nodes: int, pods: int, replicas: int, seconds: float) -> list[str]:
    """Return in sentences what losing one of so many members would cost, its pods spread over all others."""
    size = (pods / replicas, float(pods), nodes * seconds)
    what = f"{pods} pods in {pods / replicas:.0f} bindings"
    lines = [f"one of {members} members of {nodes} nodes is lost with {what}; all move within {seconds:g} s"]
    for model in models:
        whole = model.predict(size)
        shared = (
            whole
            if model.part == "Karmada"
            else (whole - model.coefficients[2] * size[2]) / (members - 1) + model.coefficients[2] * size[2]
        )
        where = model.part if model.part == "Karmada" else f"each of {members - 1} survivors"
        far = model.far(size)
        outside = f"; {far:.0f} × beyond what was measured" if far > FAR else ""
        lines.append(f"  {where}: {shared:.0f} CPU s ± {model.error:.0%}, {shared / seconds:.2f} cores for that long{outside}")
    return lines


def read(folders: Sequence[Path]) -> list[Json]:
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
    parser = argparse.ArgumentParser(prog="python -m perf.cost", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="*", default=[Path("_artifacts/failover")], help="where trials are kept")
    parser.add_argument("--profile", default="tuned", help="trials of this profile (default tuned)")
    for name, default in (("members", 100), ("nodes", 5000), ("pods", 20_000), ("replicas", 100), ("seconds", 300)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"of the prediction (default {default})")
    options = parser.parse_args(argv)
    results = [each for each in read(options.folders) if each["profile"] == options.profile and not each["changes"]]
    try:
        models = [fitted(results, part) for part in PARTS]
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for model in models:
        parts = ", ".join(f"{1000 * each:.3f} {UNITS[name]}" for name, each in zip(FEATURES, model.coefficients, strict=True))
        print(f"{model.part}: {parts}  (from {model.trials} trials, ± {model.error:.0%} on unseen ones)")
    sizes = {name: getattr(options, name) for name in ("members", "nodes", "pods", "replicas")}
    print("\n".join(prediction(models, **sizes, seconds=float(options.seconds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
