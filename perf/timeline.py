"""The timeline of a trial, computed from its samples by pure functions, so that a saved trial can be evaluated again.

    T0 fault            T3 NoExecute taint         T6 last binding rescheduled       T8 every pod runs
    T1 member not ready T4 first binding evicted   T7 last Work applied              T9 nothing left of the lost member
    T2 NoSchedule taint T5 last binding evicted

Every time is in seconds since T0; a point that was not observed is None, never an estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perf.applications import parse_binding_application, parse_pod_application
from perf.samples import Row, Samples
from perf.shapes import LOST, SURVIVOR

POINTS = tuple(f"T{number}" for number in range(10))
MILESTONES = ("evicted", "rescheduled", "applied", "running", "purged")
Quantiles = dict[str, float]


@dataclass
class Journey:
    """When one application passed each milestone."""

    name: str
    evicted: float | None = None
    rescheduled: float | None = None
    applied: float | None = None
    running: float | None = None
    """All its pods run on the survivor."""
    clean: float | None = None
    """The binding no longer mentions the lost member."""
    old_work: float | None = None
    """Its Work for the lost member is being deleted, or gone."""

    @property
    def purged(self) -> float | None:
        return None if self.clean is None or self.old_work is None else max(self.clean, self.old_work)

    def see_binding(self, at: float, state: str, replicas: int) -> None:
        """Record a state of its binding, as the observer writes it."""
        placed, evicting, _ready = state.split(" ")
        if self.evicted is None and (LOST in evicting or f"{LOST}:" not in placed):
            self.evicted = at
        if self.rescheduled is None and f"{SURVIVOR}:{replicas}" in placed.split(","):
            self.rescheduled = at
        clean = self.evicted is not None and LOST not in evicting and f"{LOST}:" not in placed
        self.clean = (at if self.clean is None else self.clean) if clean else None

    def see_work(self, at: float, member: str, state: str) -> None:
        """Record a state of one of its Works."""
        if member == SURVIVOR and state == "applied" and self.applied is None:
            self.applied = at
        if member == LOST and state in {"deleting", "gone"} and self.old_work is None:
            self.old_work = at

    def get_time(self, milestone: str) -> float | None:
        """Return the time at which it passed a milestone, or None."""
        value: float | None = getattr(self, milestone)
        return value


@dataclass(frozen=True)
class Pod:
    """One pod on the survivor: its creation (whole seconds, from the API) and the time it ran."""

    name: str
    created: float
    running: float


@dataclass(frozen=True)
class Timeline:
    """What happened after the fault."""

    points: dict[str, float | None]
    journeys: list[Journey]
    pods: list[Pod]
    respawned: int
    """Number of pods that ran on the survivor and were deleted before the end."""
    unready: list[str] = field(default_factory=list)
    """Nodes that left Ready unexpectedly, which invalidates the trial."""

    def get_seconds(self, start: str, end: str) -> float | None:
        """Return the seconds between two points; None when either was not observed."""
        a, b = self.points[start], self.points[end]
        return None if a is None or b is None else round(max(0.0, b - a), 3)

    def summarize_bindings(self) -> dict[str, Quantiles]:
        """Return the quantiles of each milestone over all applications, in seconds since the taint (T3)."""
        zero = self.points["T3"] or 0.0
        return {each: compute_quantiles((journey.get_time(each) for journey in self.journeys), since=zero) for each in MILESTONES}

    def summarize_pods(self) -> dict[str, Quantiles]:
        """Return the quantiles of creation and running over all pods, in seconds since the taint (T3), and of the time between."""
        zero = self.points["T3"] or 0.0
        return {
            "created": compute_quantiles((pod.created for pod in self.pods), since=zero),
            "running": compute_quantiles((pod.running for pod in self.pods), since=zero),
            "created to running": compute_quantiles(max(0.0, pod.running - pod.created) for pod in self.pods),
        }


def compute_quantiles(values: Iterable[float | None], *, since: float = 0.0) -> Quantiles:
    """Return n, p50, p90, p99 and max of the values that are not None; only n when there are none."""
    there = np.array([value - since for value in values if value is not None])
    if not there.size:
        return {"n": 0}
    p50, p90, p99 = np.percentile(there, [50, 90, 99])
    return {"n": int(there.size), **{k: round(float(v), 3) for k, v in {"p50": p50, "p90": p90, "p99": p99, "max": there.max()}.items()}}


def build_timeline(samples: Samples) -> Timeline:
    """Return the timeline of these samples. A trial that ended before the fault has no points."""
    zero = samples.marks.get("T0")
    if zero is None:
        return Timeline(dict.fromkeys(POINTS), [], [], 0, list_unready_nodes(samples.rows, None))
    after = [(round(at - zero, 3), stream, name, state) for at, stream, name, state in samples.rows if at >= zero]
    replicas, wanted = samples.head["sizes"]["replicas"], samples.head["sizes"]["applications"]
    pods, respawned = list_pods(after, compute_fault_second(samples, zero))
    journeys = list_journeys(after, pods, replicas)
    complete = len(journeys) >= wanted

    def last(milestone: str) -> float | None:
        times = [journey.get_time(milestone) for journey in journeys]
        seen = [time for time in times if time is not None]
        return max(seen) if complete and seen and len(seen) == len(times) else None

    evicted = [journey.evicted for journey in journeys if journey.evicted is not None]
    points = {
        "T0": 0.0,
        "T1": 0.0 if samples.head["fault"] == "taint" else find_first(after, lambda state: not state.startswith("Ready=True")),
        "T2": find_first(after, lambda state: ":NoSchedule" in state),
        "T3": find_first(after, lambda state: ":NoExecute" in state),
        "T4": min(evicted, default=None),
        "T5": last("evicted"),
        "T6": last("rescheduled"),
        "T7": last("applied"),
        "T8": last("running"),
        "T9": last("purged"),
    }
    return Timeline(points, journeys, pods, respawned, list_unready_nodes(samples.rows, zero))


def find_first(rows: Sequence[Row], holds: Callable[[str], bool]) -> float | None:
    """Return when the lost member's Cluster was first observed in such a state."""
    return next((at for at, stream, name, state in rows if stream == "cluster" and name == LOST and holds(state)), None)


def compute_fault_second(samples: Samples, zero: float) -> float:
    """Return T0 as wall-clock seconds, the unit of pods' creation times."""
    return float(samples.head["began"]) + zero


def list_pods(rows: Sequence[Row], wall: float) -> tuple[list[Pod], int]:
    """Return the pods that run on the survivor at the end, and how many others ran there before."""
    there: dict[str, Pod] = {}
    gone = 0
    for at, stream, name, state in rows:
        if stream != "pod" or not name.startswith(f"{SURVIVOR}/"):
            continue
        if state.startswith("running"):
            there.setdefault(name, Pod(name, float(state.split()[1]) - wall, at))
        elif there.pop(name, None) is not None:
            gone += 1
    return list(there.values()), gone


def list_journeys(rows: Sequence[Row], pods: Sequence[Pod], replicas: int) -> list[Journey]:
    """Return the journey of every application that was observed."""
    journeys: dict[str, Journey] = {}
    for at, stream, name, state in rows:
        if stream not in {"binding", "work"} or not parse_binding_application(name).startswith("app-"):
            continue
        journey = journeys.setdefault(parse_binding_application(name), Journey(parse_binding_application(name)))
        if stream == "binding":
            journey.see_binding(at, state, replicas)
        else:
            journey.see_work(at, name.partition("/")[0], state)
    running: dict[str, list[float]] = {}
    for pod in pods:
        running.setdefault(parse_pod_application(pod.name), []).append(pod.running)
    for name, journey in journeys.items():
        times = sorted(running.get(name, []))
        journey.running = times[replicas - 1] if len(times) >= replicas else None
    return sorted(journeys.values(), key=lambda journey: journey.name)


def list_unready_nodes(rows: Sequence[Row], zero: float | None) -> list[str]:
    """Return the nodes that left Ready: the survivor's at any time, the lost member's before the fault."""
    left = set()
    ready = set()
    for at, stream, name, state in rows:
        if stream != "node" or (name.startswith(f"{LOST}/") and zero is not None and at >= zero):
            continue
        if state == "Ready":
            ready.add(name)
        elif name in ready:
            left.add(name)
    return sorted(left)


def count_pods(final: Mapping[str, Any], *, member: str, kind: str) -> int:
    """Return how many pods of a kind (ready, other) the end state has on a member."""
    return sum(int(entry["pods"].get(member, {}).get(kind, 0)) for entry in final.values())
