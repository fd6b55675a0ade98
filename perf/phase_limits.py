"""The limit of each phase of a failover: the rate that governs it, the least seconds it implies (its floor), and the arithmetic as text.

From Karmada 1.18.2: there are three eviction workers, and each pauses after every success; all controllers of karmada-controller-manager
share one token bucket; the scheduler is one worker with three requests per binding. A floor is the time that the settings alone would
take on an infinitely fast computer; time above it is work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WORKERS = 3
"""Of the taint manager, hard-coded (karmada cmd/controller-manager/app/controllermanager.go)."""
CALLS_OF_SCHEDULER = 3
"""Requests of karmada-scheduler per binding: patch of spec, patch of status, an event."""
CALLS_OF_MANAGER = 4
"""Requests of karmada-controller-manager per binding until its Work is applied: eviction, Work, its status, its finalizer."""
CALLS_OF_SET_UP = 25
"""Requests of karmada-controller-manager per binding from template to ready, events and statuses included; approximate (audit log)."""
CALLS_TO_MEMBER = 1
"""Requests to a member per Work: the creation of the workload."""

PROBE_TIMEOUT = 32.0
"""Seconds after which a health probe of a silent member times out, hard-coded (karmada pkg/util/membercluster_client.go)."""

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
    """The limit of a phase: its two points, the program that governs it, the least seconds, and the arithmetic as text."""

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
    """Return the least seconds in which a full token bucket passes this many calls."""
    return max(0.0, (calls - burst) / qps) if qps > 0 else 0.0


def compute_refill_seconds(settings: Mapping[str, Mapping[str, str]], *, bindings: int, since: float) -> float:
    """Return the seconds until the token bucket of karmada-controller-manager is as full as before these bindings were set up.

    `since` is how long ago that began. Never wait for more tokens than moving the same bindings takes.
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
    """Return the limit of each phase, in order. `rate` is the survivor's pods per second without Karmada; None: unknown."""
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
            "the survivor without Karmada: the limit",
            pods / rate if rate else None,
            f"{pods} pods / {rate:.1f} a second, measured in this trial" if rate else "not measured under the same load",
        ),
        PhaseLimit(
            "purge", "T8", "T9", "graceful eviction: until the new pods are healthy", 0.0, f"at most {manager['graceful-eviction-timeout']}"
        ),
    ]


def find_apply_limit(manager: Mapping[str, str], to_member: Mapping[str, str], bindings: int, *, mode: str) -> PhaseLimit:
    """Return the limit of applying all workloads to the survivor: requests to Karmada, and requests to the member."""

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
    """Return the limit of detection: the time until a member counts as not ready."""
    if fault == "taint":
        return PhaseLimit("detect", "T0", "T1", "none: tainted by hand", 0.0, "0")
    if mode == "pull" and fault == "member":  # the agent is lost with it
        grace = manager["cluster-monitor-grace-period"]
        return PhaseLimit(
            "detect", "T0", "T1", "cluster controller: the agent's lease", parse_duration(grace) * 0.75, f"¾ of the grace period {grace}"
        )
    asking = agent if mode == "pull" else manager
    threshold, every = asking["cluster-failure-threshold"], asking["cluster-status-update-frequency"]
    floor, arithmetic = parse_duration(threshold), f"failure threshold {threshold}, probed every {every}"
    if fault == "link":  # no refusal: the probe hangs until its timeout
        floor, arithmetic = floor + PROBE_TIMEOUT, f"a probe times out after {PROBE_TIMEOUT:g} s, then {arithmetic}"
    governed_by = "cluster status controller" if mode == "push" else "cluster status controller of its karmada-agent"
    return PhaseLimit("detect", "T0", "T1", governed_by, floor, arithmetic)


def find_eviction_limit(manager: Mapping[str, str], bindings: int) -> PhaseLimit:
    """Return the limit of evicting all bindings."""
    each, qps, size = (float(manager[flag]) for flag in ("resource-eviction-rate", "rate-limiter-qps", "rate-limiter-bucket-size"))
    if each <= 0:
        return PhaseLimit("evict", "T3", "T5", "taint manager", None, "resource-eviction-rate 0: every worker pauses half an hour")
    by_worker = max(0.0, bindings - WORKERS) / (WORKERS * each)
    return PhaseLimit(
        "evict",
        "T3",
        "T5",
        "taint manager: its workers pause after each binding; it shares one client with all controllers",
        max(by_worker, compute_bucket_seconds(bindings, qps, size)),
        f"({bindings} − {WORKERS}) / ({WORKERS} workers × {each:g} a second), or ({bindings} − {size:g}) / {qps:g} a second",
    )


def describe_phase(limiter: PhaseLimit, observed: float | None) -> dict[str, Any]:
    """Return a phase as JSON data for results and reports."""
    return {
        "phase": limiter.phase,
        "from": limiter.start,
        "to": limiter.end,
        "governed_by": limiter.governed_by,
        "floor_seconds": None if limiter.floor is None else round(limiter.floor, 3),
        "sum": limiter.sum,
        "observed_seconds": observed,
    }
