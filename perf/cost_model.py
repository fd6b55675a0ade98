"""Cost model of a failover: CPU by size, fitted from saved trials of different shapes, with its error and predictions.

    lab bench cost-model [FOLDER…] [--members 100] [--nodes 5000] [--pods 20000] [--replicas 100]

The model: CPU seconds of Karmada's programs, and of the survivor's, are a linear sum over bindings, pods, renewals of node leases and
elapsed seconds, with non-negative coefficients. Each trial gives two equations: the time in which nothing moved (fault to taint), which
has only seconds and renewals, and the time of moving. The error is that of predicting a whole trial left out of the fit. There is no
model from fewer trials than unknowns and no prediction from a model with too large an error; an extrapolation shows how far it goes.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab.errors import UsageError
from lab.hollow import lease_seconds
from perf.report import RESULT
from perf.result import UNLIKE
from perf.shapes import SURVIVOR

UNITS = {"bindings": "ms a binding", "pods": "ms a pod", "renewals": "ms a lease renewal", "seconds": "ms a second"}
PARTS = {"Karmada": ("bindings", "pods", "seconds"), "the survivor": ("bindings", "pods", "renewals", "seconds")}
"""The features of each part. Karmada sees no nodes."""
PROGRAMS = {"Karmada": "karmada/", "the survivor": f"{SURVIVOR}/"}
KUBELET_RENEWS = 10.0
"""Seconds between two renewals of a real node's lease. With many nodes kwok renews less often (lab.hollow)."""
CREDIBLE = 0.25
"""The maximum error with which a model still predicts."""
SHORTEST = 2.0
"""Minimum length in seconds of a usable span: the CPU of a shorter one is lost in that of measuring."""
FAR = 3.0
"""Factor over the largest measured shape from which a prediction is reported as an extrapolation."""
Json = Mapping[str, Any]
Vector = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class CostModel:
    """CPU seconds of one part of a lab, as coefficients of the features; `error` is the median relative error on unseen trials."""

    part: str
    coefficients: Mapping[str, float]
    trials: int
    error: float
    largest: Mapping[str, float]

    def predict(self, size: Mapping[str, float]) -> float:
        """Return the CPU seconds of a failover of this size."""
        return sum(each * size[name] for name, each in self.coefficients.items())

    def compute_extrapolation(self, size: Mapping[str, float]) -> float:
        """Return the largest ratio of this size to the largest measured one, over the features with a cost."""
        return max((size[name] / self.largest[name] for name, each in self.coefficients.items() if each), default=0.0)


def list_spans(result: Json, part: str) -> list[tuple[dict[str, float], float]]:
    """Return, for each usable span of a trial, its features and the CPU seconds that a part of the lab took."""
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
    """Return the comparable trials: ended well, kwok nodes, push mode, no users on the API, little other load."""
    good = [each for each in results if each["verdict"] in {"ok", "missed"} and each.get("cpu_seconds", {}).get("moving")]
    quiet = [each for each in good if (each.get("others", {}).get("failover") or 0.0) <= UNLIKE]
    return [each for each in quiet if each["nodes"]["backend"] == "kwok" and not each["load_ms"] and each["sizes"]["mode"] == "push"]


def fit_model(results: Sequence[Json], part: str) -> CostModel:
    """Fit the model of one part. Raise UsageError when there are too few trials, or all have one shape."""
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
    """Return the non-negative coefficients of least relative error. There are few enough to try every choice of zeros."""
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
    """Return the median relative error of predicting each whole trial from the others."""
    errors = []
    for trial in np.unique(trials):
        others = trials != trial
        guess, real = float((rows[~others] @ solve(rows[others], wanted[others])).sum()), float(wanted[~others].sum())
        errors.append(abs(guess - real) / max(real, 1e-9))
    return round(float(np.median(errors)), 4)


def format_prediction(models: Sequence[CostModel], *, members: int, nodes: int, pods: int, replicas: int, seconds: float) -> list[str]:
    """Return lines of text: the predicted cost of losing one of `members` members, its pods spread over all others."""
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
    """Return the saved results in these folders and up to two levels below. Skip unreadable ones."""
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
