"""What governs each phase of a failover, the floor that it implies with the settings of a trial, and the sum in words.

Read from Karmada 1.18.2: the eviction workers are three and each rests after every success; all controllers of karmada-controller-manager
share one bucket of requests; the scheduler is one worker that asks the API three times a binding. A floor is what the settings alone
would take on an infinitely fast computer: what is observed above it is work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WORKERS = 3
"""Of the taint manager, hard-coded (karmada cmd/controller-manager/app/controllermanager.go)."""
CALLS_OF_SCHEDULER = 3
"""Requests of karmada-scheduler a binding: patch of spec, of status, an event."""
CALLS_OF_MANAGER = 4
"""Requests of karmada-controller-manager a binding until its Work is applied: eviction, Work, its status, its finalizer."""
CALLS_OF_SET_UP = 25
"""Requests of karmada-controller-manager a binding from its template until it is ready, events and statuses too, roughly (audit log)."""
CALLS_TO_MEMBER = 1
"""Requests to a member a Work: the creation of the workload."""

PROBE_TIMEOUT = 32.0
"""Seconds after which a member's health is taken for bad when it does not answer, hard-coded (karmada pkg/util/membercluster_client.go)."""

DEFAULTS = {
    "karmada-controller-manager": {
        "cluster-status-update-frequency": "10s",
        "cluster-failure-threshold": "30s",
        "cluster-monitor-grace-period": "40s",
        "resource-eviction-rate": "0.5",
        "rate-limiter-qps": "10",
        "rate-limiter-bucket-size": "100",
        "kube-api-qps": "40",
        "kube-api-burst": "60",
        "cluster-api-qps": "40",
        "cluster-api-burst": "60",
        "graceful-eviction-timeout": "10m",
    },
    "karmada-scheduler": {"kube-api-qps": "40", "kube-api-burst": "60"},
    "karmada-agent": {
        "cluster-status-update-frequency": "10s",
        "cluster-failure-threshold": "30s",
        "kube-api-qps": "40",
        "kube-api-burst": "60",
        "cluster-api-qps": "40",
        "cluster-api-burst": "60",
    },
}
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class PhaseLimit:
    """What governs a phase: the points it lies between, whose limit it is, the least seconds it implies and how that is computed."""

    phase: str
    start: str
    end: str
    governed_by: str
    floor: float | None
    sum: str


def parse_duration(text: str) -> float:
    """Return the seconds of a Go duration."""
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([0-9.]+)(ms|s|m|h)", text))


def compute_bucket_seconds(calls: float, qps: float, burst: float) -> float:
    """Return the least seconds in which a token bucket that is full lets so many calls pass."""
    return max(0.0, (calls - burst) / qps) if qps > 0 else 0.0


def compute_refill_seconds(settings: Mapping[str, Mapping[str, str]], *, bindings: int, since: float) -> float:
    """Return in how many seconds karmada-controller-manager may again send as much at once as before so many bindings were set up.

    `since` is how long ago that began. What the bucket holds beyond their like is not waited for: no fault needs it.
    """
    manager = {**DEFAULTS["karmada-controller-manager"], **settings.get("karmada-controller-manager", {})}
    qps, burst, used = float(manager["kube-api-qps"]), float(manager["kube-api-burst"]), float(CALLS_OF_SET_UP * bindings)
    if qps <= 0:
        return 0.0
    holds = burst - min(burst, max(0.0, used - qps * since))
    return max(0.0, (min(burst, used) - holds) / qps)


def list_phase_limits(
    settings: Mapping[str, Mapping[str, str]], *, bindings: int, pods: int, fault: str, mode: str, rate: float | None
) -> list[PhaseLimit]:
    """Return the limiter of each phase, in order. `rate` is the pods a second of the survivor by itself; None: it is not known."""
    manager = {**DEFAULTS["karmada-controller-manager"], **settings.get("karmada-controller-manager", {})}
    scheduler = {**DEFAULTS["karmada-scheduler"], **settings.get("karmada-scheduler", {})}
    agent = DEFAULTS["karmada-agent"]  # a lab file has no settings for it

    def number(flag: str, of: Mapping[str, str] = manager) -> float:
        return float(of[flag])

    return [
        find_detection_limit(manager, agent, fault=fault, mode=mode),
        PhaseLimit("taint", "T1", "T3", "ClusterTaintPolicy controller", 0.0, "two writes, no rate"),
        find_eviction_limit(manager, bindings),
        PhaseLimit(
            "reschedule",
            "T4",
            "T6",
            "karmada-scheduler: one worker, its client",
            compute_bucket_seconds(CALLS_OF_SCHEDULER * bindings, number("kube-api-qps", scheduler), number("kube-api-burst", scheduler)),
            f"({CALLS_OF_SCHEDULER} × {bindings} − burst {scheduler['kube-api-burst']}) / {scheduler['kube-api-qps']} a second",
        ),
        find_apply_limit(manager, agent if mode == "pull" else manager, bindings, mode=mode),
        PhaseLimit(
            "start",
            "T3",
            "T8",
            "the survivor by itself: the limit",
            pods / rate if rate else None,
            f"{pods} pods / {rate:.1f} a second, measured in this trial" if rate else "not measured on a computer as quiet as this",
        ),
        PhaseLimit(
            "purge", "T8", "T9", "graceful eviction: until the new pods are healthy", 0.0, f"at most {manager['graceful-eviction-timeout']}"
        ),
    ]


def find_apply_limit(manager: Mapping[str, str], to_member: Mapping[str, str], bindings: int, *, mode: str) -> PhaseLimit:
    """Return what governs the time until all workloads are on the survivor: requests to Karmada, and to the member by who writes there."""

    def requests(calls: int, of: Mapping[str, str], client: str) -> tuple[float, str]:
        qps, burst = of[f"{client}-qps"], of[f"{client}-burst"]
        return compute_bucket_seconds(
            calls * bindings, float(qps), float(burst)
        ), f"({calls} × {bindings} − burst {burst}) / {qps} a second"

    (own, own_sum), (other, other_sum) = (
        requests(CALLS_OF_MANAGER, manager, "kube-api"),
        requests(CALLS_TO_MEMBER, to_member, "cluster-api"),
    )
    who = "one for each member" if mode == "push" else "each karmada-agent its own"
    return PhaseLimit(
        "apply",
        "T4",
        "T7",
        f"karmada-controller-manager: one client for all controllers, their statuses and events, {who}",
        max(own, other),
        f"{own_sum}, {other_sum} to the member",
    )


def find_detection_limit(manager: Mapping[str, str], agent: Mapping[str, str], *, fault: str, mode: str) -> PhaseLimit:
    """Return what governs the time until a member counts as not ready."""
    if fault == "taint":
        return PhaseLimit("detect", "T0", "T1", "nobody: a person said so", 0.0, "0")
    if mode == "pull" and fault == "member":  # the agent is lost with it
        grace = manager["cluster-monitor-grace-period"]
        return PhaseLimit(
            "detect", "T0", "T1", "cluster controller: the agent's lease", parse_duration(grace) * 0.75, f"¾ of the grace period {grace}"
        )
    asking = agent if mode == "pull" else manager
    threshold, every = asking["cluster-failure-threshold"], asking["cluster-status-update-frequency"]
    floor, said = parse_duration(threshold), f"failure threshold {threshold}, asked every {every}"
    if fault == "link":  # nobody refuses: the question hangs until it is given up
        floor, said = floor + PROBE_TIMEOUT, f"a question is given up after {PROBE_TIMEOUT:g} s, then {said}"
    whose = "cluster status controller" if mode == "push" else "cluster status controller of its karmada-agent"
    return PhaseLimit("detect", "T0", "T1", whose, floor, said)


def find_eviction_limit(manager: Mapping[str, str], bindings: int) -> PhaseLimit:
    """Return what governs the eviction of all bindings."""
    each, qps, size = (float(manager[flag]) for flag in ("resource-eviction-rate", "rate-limiter-qps", "rate-limiter-bucket-size"))
    if each <= 0:
        return PhaseLimit("evict", "T3", "T5", "taint manager", None, "resource-eviction-rate 0: every worker rests half an hour")
    by_worker = max(0.0, bindings - WORKERS) / (WORKERS * each)
    return PhaseLimit(
        "evict",
        "T3",
        "T5",
        "taint manager: its workers rest after each binding; its client is that of all controllers",
        max(by_worker, compute_bucket_seconds(bindings, qps, size)),
        f"({bindings} − {WORKERS}) / ({WORKERS} workers × {each:g} a second), or ({bindings} − {size:g}) / {qps:g} a second",
    )


def describe_phase(limiter: PhaseLimit, observed: float | None) -> dict[str, Any]:
    """Return a phase as results and reports have it."""
    return {
        "phase": limiter.phase,
        "from": limiter.start,
        "to": limiter.end,
        "governed_by": limiter.governed_by,
        "floor_seconds": None if limiter.floor is None else round(limiter.floor, 3),
        "sum": limiter.sum,
        "observed_seconds": observed,
    }
