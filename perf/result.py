"""The result of a trial: a pure function of its samples, and the JSON that reports and trends read.

Schema 1. Stable: schema, kind, name, at, release, shape, profile, fault, seconds (by phase), pods, pods_per_second, limit_ratio,
verdict, why.

The verdict: ok; failed (a check failed: a pod lost or doubled, a node that left Ready); unknown (the trial did not end, or there is a
goal and the limit was not measured); missed (slower than the goal).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perf import audit
from perf.backend import compute_cost_per_node
from perf.load import summarize_by_phase
from perf.phase_limits import describe_phase, list_phase_limits
from perf.samples import Samples
from perf.shapes import LOST, SURVIVOR
from perf.timeline import POINTS, Timeline, build_timeline, count_pods

SCHEMA = 1
PUBLISHED_PODS, PUBLISHED_SECONDS = 40_000, 900.0
"""The published result to beat: 40,000 pods within 15 minutes."""
LEAST_LATE = 60.0
UNLIKE = 0.15
"""Maximum difference, as a share of the CPU, of other load during limit and failover, for their ratio to be meaningful."""
PHASES = {"detect": ("T0", "T1"), "taint": ("T1", "T3"), "evict": ("T3", "T5"), "reschedule": ("T5", "T6"), "apply": ("T6", "T7")}
PHASES |= {"start": ("T7", "T8"), "purge": ("T8", "T9")}
"""The phases without overlap: each begins where the one before ended."""
HEAD = ("at", "release", "kubernetes", "shape", "profile", "changes", "fault", "machine", "complete", "stopped_by", "notes")
Json = dict[str, Any]


def evaluate_trial(samples: Samples, *, goal: float | None = None) -> Json:
    """Evaluate a trial."""
    head, seen = samples.head, build_timeline(samples)
    sizes = head["sizes"]
    beside = measure_other_load(samples)
    limit = measure_limit(samples) | {"comparable": not explain_difference(beside)}
    rate = limit["pods_per_second"] if limit["comparable"] else None
    moving = seen.get_seconds("T3", "T8")
    expected = sizes["pods"] / rate if rate else None
    ratio = round(moving / expected, 3) if moving and expected else None
    checks = run_checks(samples, seen)
    verdict, why = decide_verdict(head, checks, ratio, goal, explain_difference(beside))
    phases = [
        describe_phase(each, seen.get_seconds(each.start, each.end))
        for each in list_phase_limits(
            head["settings"],
            bindings=sizes["applications"],
            pods=sizes["pods"],
            fault=head["fault"],
            mode=sizes["mode"],
            rate=rate,
        )
    ]
    return {
        "schema": SCHEMA,
        "kind": "failover",
        "name": f"failover {head['shape']} {head['profile']}" + (f" ({', '.join(head['changes'])})" if head["changes"] else ""),
        **{key: head[key] for key in HEAD},
        "sizes": sizes,
        "points": {point: seen.points[point] for point in POINTS},
        "seconds": {name: seen.get_seconds(*ends) for name, ends in PHASES.items()},
        "total_seconds": seen.get_seconds("T0", "T8"),
        "moving_seconds": moving,
        "pods": {
            "wanted": sizes["pods"],
            "running": len(seen.pods),
            "respawned": seen.respawned,
            "lost": count_lost(samples),
            "duplicated": count_duplicated(samples),
            "late": count_late(samples, seen),
        },
        "pods_per_second": round(sizes["pods"] / moving, 2) if moving else None,
        "pods_per_second_from_fault": round(sizes["pods"] / total, 2) if (total := seen.get_seconds("T0", "T8")) else None,
        "limit": limit,
        "limit_ratio": ratio,
        "phases": phases,
        "per_binding": seen.summarize_bindings(),
        "per_pod": seen.summarize_pods(),
        "cpu_ms_per_pod": compute_cpu_per_pod(samples, "T0", "T8", sizes["pods"]),
        "cpu_seconds": {
            phase: compute_cpu_seconds(samples, *ends) for phase, ends in (("waiting", ("T0", "T3")), ("moving", ("T3", "T8")))
        },
        "cpu_ms_per_pod_of_limit": compute_cpu_per_pod(samples, "limit-began", "limit-ended", limit["pods"]),
        "others": beside,
        "bytes_per_pod": compute_memory_per_pod(samples, "T0", "T8", sizes["pods"]),
        "memory_gib": sum_resident_memory(samples),
        "memory_peak_gib": head.get("memory_peak_gib"),
        "nodes": summarize_nodes(samples),
        "load_ms": summarize_by_phase(samples.calls, seen, samples.marks.get("T0", 0.0)) if samples.calls else {},
        "writes_per_pod": count_writes_per_pod(samples, "T0", "T8", sizes["pods"]),
        "writes_per_pod_of_limit": count_writes_per_pod(samples, "limit-began", "limit-ended", limit["pods"]),
        "audit": audit.summarize_audit(samples, seen.points["T3"]),
        "set_up_pods_per_second": compute_set_up_rate(samples),
        "observer_cpu_seconds": head.get("observer_cpu_seconds"),
        "checks": checks,
        "verdict": verdict,
        "why": why,
    }


def decide_verdict(head: Mapping[str, Any], checks: list[Json], ratio: float | None, goal: float | None, unlike: str) -> tuple[str, str]:
    """Return the verdict and its reason. `unlike` is why limit and failover cannot be compared, or empty."""
    if failed := [f"{check['name']}: {check['why']}" for check in checks if check["ok"] is False]:
        return "failed", "; ".join(failed)
    if not head["complete"]:
        return "unknown", head["stopped_by"].partition("\n")[0] or "the trial did not end"
    if goal is None:
        return "ok", ""
    if ratio is None:
        return "unknown", unlike or "the limit was not measured"
    return ("missed", f"takes {ratio:.2f} × as long as the survivor alone, the goal is {goal:g} ×") if ratio > goal else ("ok", "")


def run_checks(samples: Samples, seen: Timeline) -> list[Json]:
    """Return the checks, object by object; ok is None where the state was not observed."""

    def check(name: str, bad: int | None, why: str) -> Json:
        return {"name": name, "ok": None if bad is None else bad == 0, "why": "" if not bad else why}

    if samples.head["without_failover"]:
        moved = len(seen.pods)
        return [check("nothing moves while failover is off", moved, f"{moved} pods did")]
    there = bool(samples.final) and samples.head["complete"]
    gone, doubled = (count_lost(samples), count_duplicated(samples)) if there else (None, None)
    wrong = [name for name, entry in samples.final.items() if set(entry.get("placed", {})) != {SURVIVOR}] if there else None
    return [
        check("no node left Ready", len(seen.unready), f"{len(seen.unready)} did, {', '.join(seen.unready[:3])} among them"),
        check("no pod is lost", gone, f"{gone} of {samples.head['sizes']['pods']} are"),
        check("no pod is there twice", doubled, f"{doubled} are"),
        check("every binding is placed on the survivor", None if wrong is None else len(wrong), f"not {', '.join((wrong or [])[:3])}"),
    ]


def measure_limit(samples: Samples) -> Json:
    """Return how fast the survivor starts pods without Karmada; pods_per_second is None when the measurement did not finish."""
    begin = samples.marks.get("limit-began")
    times = [at for at, stream, _name, state in samples.rows if stream == "limit" and state.startswith("running")]
    if begin is None or not times or "limit-ended" not in samples.marks:
        return {"pods": len(times), "seconds": None, "pods_per_second": None}
    seconds = max(times) - begin
    return {"pods": len(times), "seconds": round(seconds, 3), "pods_per_second": round(len(times) / seconds, 2)}


# -- pods -----------------------------------------------------------------------------------------------------------------------------


def count_lost(samples: Samples) -> int:
    """Return how many wanted pods are not ready on the survivor, summed per application, so that a surplus elsewhere hides none."""
    return sum(max(0, int(entry["replicas"]) - int(entry["pods"].get(SURVIVOR, {}).get("ready", 0))) for entry in samples.final.values())


def count_duplicated(samples: Samples) -> int:
    """Return the number of surplus pods: too many on the survivor, or still ready on the lost member if that answers."""
    there = [(int(entry["replicas"]), sum(map(int, entry["pods"].get(SURVIVOR, {}).values()))) for entry in samples.final.values()]
    over = sum(max(0, found - wanted) for wanted, found in there)
    # Behind a cut link Karmada cannot delete anything.
    still = count_pods(samples.final, member=LOST, kind="ready") if samples.head["fault"] == "taint" else 0
    return over + still


def count_late(samples: Samples, seen: Timeline) -> int:
    """Return how many pods started later than the published pace allows: 15 minutes for 40,000, at least one minute."""
    pods = int(samples.head["sizes"]["pods"])
    allowed = max(LEAST_LATE, PUBLISHED_SECONDS * pods / PUBLISHED_PODS)
    return sum(pod.running > allowed for pod in seen.pods) + max(0, pods - len(seen.pods))


def compute_set_up_rate(samples: Samples) -> float | None:
    """Return the pods per second that started on the first member during set-up through Karmada."""
    begin, end = samples.marks.get("set-up-began"), samples.marks.get("steady")
    times = [
        at
        for at, stream, name, state in samples.rows
        if stream == "pod" and name.startswith(f"{LOST}/") and state.startswith("running") and (end is None or at <= end)
    ]
    return round(len(times) / (max(times) - begin), 2) if times and begin is not None else None


# -- cost ----------------------------------------------------------------------------------------------------------------------------


def compute_cpu_per_pod(samples: Samples, start: str, end: str, pods: int) -> dict[str, float]:
    """Return CPU milliseconds per pod of each program between two marks, largest first; empty when a mark is missing."""
    before, after = samples.usage.get(start, {}), samples.usage.get(end, {})
    if not before or not after or not pods:
        return {}
    used = {name: 1000 * (seconds - before.get(name, (0.0, 0))[0]) / pods for name, (seconds, _rss) in after.items()}
    return {name: round(ms, 3) for name, ms in sorted(used.items(), key=lambda each: -each[1]) if ms >= 0.001}


def compute_cpu_seconds(samples: Samples, start: str, end: str) -> Json:
    """Return the CPU seconds of each program between two marks, and the elapsed seconds (`of`); empty when a mark is missing."""
    used = compute_cpu_per_pod(samples, start, end, 1)
    return {"of": round(samples.marks[end] - samples.marks[start], 3), **{name: ms / 1000 for name, ms in used.items()}} if used else {}


def measure_other_load(samples: Samples) -> dict[str, float | None]:
    """Return, for limit and failover, the share of the computer's CPU used by other load; None where it was not recorded."""
    return {"limit": compute_other_share(samples, "limit-began", "limit-ended"), "failover": compute_other_share(samples, "T0", "T8")}


def compute_other_share(samples: Samples, start: str, end: str) -> float | None:
    cores, before, after = samples.head["machine"].get("cores"), samples.busy.get(start), samples.busy.get(end)
    if before is None or after is None or not cores:
        return None
    ours = sum(compute_cpu_per_pod(samples, start, end, 1).values()) / 1000
    seconds = samples.marks[end] - samples.marks[start]
    return round(max(0.0, after - before - ours) / (cores * seconds), 3) if seconds > 0 else None


def explain_difference(others: Mapping[str, float | None]) -> str:
    """Return why limit and failover cannot be compared; empty if they can, or if other load was not recorded."""
    limit, failover = others["limit"], others["failover"]
    if limit is None or failover is None or abs(limit - failover) <= UNLIKE:
        return ""
    return f"other load took {limit:.0%} of the CPU during the limit and {failover:.0%} during the failover"


def compute_memory_per_pod(samples: Samples, start: str, end: str, pods: int) -> dict[str, int]:
    """Return the growth of each program's resident memory between two marks, in bytes per pod, for those that grew."""
    before, after = samples.usage.get(start, {}), samples.usage.get(end, {})
    grown = {name: rss - before[name][1] for name, (_cpu, rss) in after.items() if name in before}
    return {name: round(size / pods) for name, size in sorted(grown.items(), key=lambda each: -each[1]) if size > 0 and pods}


def sum_resident_memory(samples: Samples) -> dict[str, float]:
    """Return the resident memory of all programs at each mark, in GiB."""
    return {mark: round(sum(rss for _cpu, rss in programs.values()) / 2**30, 2) for mark, programs in samples.usage.items()}


def summarize_nodes(samples: Samples) -> Json:
    """Return the backend of the survivor's nodes and its cost per node: memory at T8, CPU from T0 to T8."""
    sizes = samples.head["sizes"]
    count = sizes["survivor_nodes"] or sizes["nodes"]
    before, after = (compute_cost_per_node(samples.usage.get(mark, {}), SURVIVOR, count) for mark in ("T0", "T8"))
    seconds = [each["cpu_seconds"] for each in (before, after)]
    used = round(1000 * (seconds[1] - seconds[0]), 3) if None not in seconds else None
    return {
        "backend": samples.head.get("backend", "kwok"),
        "mib_per_node": after["mib"],
        "cpu_ms_per_node": used,
        "processes": after["processes"],
    }


def count_writes_per_pod(samples: Samples, start: str, end: str, pods: int) -> dict[str, dict[str, float]]:
    """Return the writes per pod that each API server answered between two marks, by verb and resource, largest first."""
    before, after = samples.requests.get(start, {}), samples.requests.get(end, {})
    found: dict[str, dict[str, float]] = {}
    for server, counts in after.items():
        if server not in before or not pods:
            continue
        rates = {what: (count - before[server].get(what, 0.0)) / pods for what, count in counts.items()}
        found[server] = {what: round(rate, 4) for what, rate in sorted(rates.items(), key=lambda each: -each[1]) if rate >= 0.0005}
    return found
