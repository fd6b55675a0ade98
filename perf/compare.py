"""Compare two settings or releases: alternate trials on one computer, and a verdict on the difference.

    lab bench compare --shape tiny --rounds 5 --set-b karmada.components.karmada-controller-manager.flags.kube-api-qps=100
    lab bench compare --shape small --profile-a default --profile-b tuned
    lab bench compare --shape tiny --set-b karmada.release=./karmada

A is the baseline, B the candidate. Rounds alternate A B, B A, A B …; each trial has its own lab. perf.stats computes interval and
verdict. Exit codes are those of `lab bench failover`; 6 when B is slower.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from lab.cli.options import option
from lab.run import write_json
from perf import failover
from perf.cost_model import PROGRAMS
from perf.progress import say
from perf.request import TrialRequest
from perf.stats import compare, summarize_spread
from perf.summary import align_rows

SCHEMA = 1
FILE = "comparison.json"
Json = dict[str, Any]
METRICS = {
    "moving_seconds": "T3→T8, s",
    "total_seconds": "T0→T8, s",
    "limit_ratio": "T3→T8 over the limit",
    "cpu": "CPU of the failover, ms a pod",
    "cpu_of_karmada": "  Karmada's",
    "cpu_of_survivor": "  the survivor's",
    "cpu_of_both": "  Karmada's over the survivor's",
    "cpu_of_limit": "CPU of the limit, ms a pod",
}
"""The compared metrics; the first decides the verdict. Other load on the computer disturbs CPU less than seconds, and the ratio of two
programs' CPU in the same trial least: use that for a change that affects only one of them."""
CPU = {
    "cpu": ("cpu_ms_per_pod", ""),
    "cpu_of_karmada": ("cpu_ms_per_pod", PROGRAMS["Karmada"]),
    "cpu_of_survivor": ("cpu_ms_per_pod", PROGRAMS["the survivor"]),
    "cpu_of_limit": ("cpu_ms_per_pod_of_limit", ""),
}
"""For each CPU metric, the key in a result and the prefix of the program names to sum."""


@dataclass(frozen=True)
class CompareRequest(TrialRequest):
    """The options of a comparison. Those of one side count before those of both."""

    rounds: Annotated[int, option("--rounds", help="Trials of each side.", min=1, metavar="N")] = 5
    profile_a: Annotated[str | None, option("--profile-a", help="Profile of A; else --profile.")] = None
    profile_b: Annotated[str | None, option("--profile-b", help="Profile of B; else --profile.")] = None
    changes_a: Annotated[list[str], option("--set-a", help="Change one key for A alone; may be repeated.", metavar="KEY=VALUE")] = field(
        default_factory=list
    )
    changes_b: Annotated[list[str], option("--set-b", help="Change one key for B alone; may be repeated.", metavar="KEY=VALUE")] = field(
        default_factory=list
    )

    def select(self, side: str) -> TrialRequest:
        """Return the request of a trial of one side, "a" or "b"."""
        changes, chosen = (self.changes_a, self.profile_a) if side == "a" else (self.changes_b, self.profile_b)
        return replace(self, changes=[*self.changes, *changes], profile=chosen or self.profile)


def order_sides(rounds: int) -> list[str]:
    """Return the sides in the order of their trials: each pair is reversed against the one before, so that neither is always first."""
    return [side for number in range(rounds) for side in ("ab" if number % 2 == 0 else "ba")]


def run_in_turn(turns: Mapping[str, TrialRequest], folder: Path, took: Callable[[str, Json], None]) -> None:
    """Run trials one after the other, each in the folder of its name; pass each result to `took` before the next trial starts.

    All are planned before the first starts: an impossible trial is refused early, and editing a profile meanwhile changes none.
    """
    plans = [failover.make_plan(chosen, f"compare-{os.getpid()}-{number}") for number, chosen in enumerate(turns.values(), start=1)]
    for number, (name, plan) in enumerate(zip(turns, plans, strict=True), start=1):
        say(f"trial {number} of {len(plans)}: {name}")
        took(name, failover.run_trial(plan, folder / name, goal=None))


def run_trials(request: CompareRequest, folder: Path) -> dict[str, list[Json]]:
    """Run the trials alternately; return the results of each side. Rewrite the comparison after each, so that an interrupt loses none."""
    results: dict[str, list[Json]] = {"a": [], "b": []}

    def took(name: str, result: Json) -> None:
        results[name[-1]].append(result)
        write_json(folder / FILE, evaluate_sides(results))

    run_in_turn(
        {f"{number:02d}-{side}": request.select(side) for number, side in enumerate(order_sides(request.rounds), start=1)},
        folder,
        took,
    )
    return results


def get_metric(result: Mapping[str, Any], metric: str) -> float | None:
    """Return one metric of a result; None when the trial failed or did not end, whatever it measured."""
    if result["verdict"] not in {"ok", "missed"}:
        return None
    if metric in CPU:
        key, programs = CPU[metric]
        return round(sum(ms for name, ms in result[key].items() if name.startswith(programs)), 3) or None
    if metric == "cpu_of_both":
        karmada, survivor = get_metric(result, "cpu_of_karmada"), get_metric(result, "cpu_of_survivor")
        return round(karmada / survivor, 4) if karmada and survivor else None
    found: float | None = result[metric]
    return found


def compare_metrics(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]], metrics: Mapping[str, str]) -> dict[str, Json]:
    """Compare each metric over equally many trials of A and B, pair by pair."""
    found = {}
    for metric, title in metrics.items():
        of_a, of_b = ([get_metric(result, metric) for result in side] for side in (a, b))
        found[metric] = {"title": title, "a": summarize_spread(of_a), "b": summarize_spread(of_b), **compare(of_a, of_b).document()}
    return found


def evaluate_sides(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> Json:
    """Return the comparison of both sides: a pure function of their results."""
    pairs = min(len(results["a"]), len(results["b"]))
    metrics = compare_metrics(results["a"][:pairs], results["b"][:pairs], METRICS)
    first = metrics[next(iter(METRICS))]
    return {
        "schema": SCHEMA,
        "kind": "failover-comparison",
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "a": describe_side(results["a"]),
        "b": describe_side(results["b"]),
        "metrics": metrics,
        "verdict": first["verdict"],
        "why": first["why"],
    }


def describe_side(results: Sequence[Mapping[str, Any]]) -> Json:
    """Return the description of one side: profile, changes, release, fault and number of trials."""
    keys = ("name", "shape", "profile", "changes", "release", "fault")
    description = {key: results[0][key] for key in keys} if results else {}
    return {**description, "trials": len(results), "others": summarize_spread([result["others"]["failover"] for result in results])}


def format_comparison(comparison: Mapping[str, Any]) -> str:
    """Return a comparison as text for a terminal."""
    rows = [("", "A median", "B median", "B / A", "95 % interval", "verdict")]
    for metric in comparison["metrics"].values():
        between = f"{metric['low']:.3f} – {metric['high']:.3f}" if metric["low"] is not None else ""
        factor = f"{metric['factor']:.3f} ×" if metric["factor"] is not None else ""
        medians = [f"{metric[side]['median']:.2f}" if metric[side]["n"] else "—" for side in ("a", "b")]
        rows.append((metric["title"], *medians, factor, between, metric["verdict"] + (f" ({metric['why']})" if metric["why"] else "")))
    lines = [f"{side.upper()}: {comparison[side].get('name', '—')}{format_other_load(comparison[side])}" for side in ("a", "b")]
    return "\n".join([*lines, *align_rows(rows), "", f"B is {comparison['verdict']}"])


def format_other_load(side: Mapping[str, Any]) -> str:
    """Return which share of the CPU other load took during the trials of one side, if that was recorded."""
    others = side["others"]
    return f"; other load took {others['median']:.0%} of the CPU ({others['max']:.0%} at most)" if others["n"] else ""


def get_exit_code(comparison: Mapping[str, Any]) -> int:
    """Return 6 when B is slower, 4 when trials are missing, else 0: inconclusive is no regression."""
    if comparison["verdict"] == "slower":
        return 6
    return 4 if comparison["metrics"]["moving_seconds"]["pairs"] < comparison["a"]["trials"] else 0
