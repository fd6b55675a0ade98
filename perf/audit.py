"""Milestones of a trial from the API servers' audit logs: when each write was answered, and which program sent it.

A watch shows when a change reached the observer, the audit log when it was written; the difference is what watching adds.
Bodies are not logged, so a milestone is recognised by the program, the verb and the resource (Karmada 1.18.2):

    evicted       the first update of a binding after the fault by karmada-controller-manager (its other writes to one are patches)
    rescheduled   the first patch of it by karmada-scheduler after that
    work, applied the creation of its Work for the survivor, and the first update of that one's status
    purged        the deletion of its Work for the lost member
    created, bound, ran    of a pod on the survivor; the log has no name where the server generated it

Leases, events and reads are not logged (lab.audit). Lost lines are missing here: `n` of each milestone is the number found.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lab import audit
from lab.run import Run
from perf.applications import is_moved_namespace
from perf.samples import Row, Samples
from perf.shapes import LOST, SURVIVOR
from perf.timeline import Quantiles, compute_quantiles

STREAM = "audit"
KARMADA = "karmada"
MANAGER, SCHEDULER = "karmada-controller-manager", "karmada-scheduler"
OF_BINDING = ("evicted", "rescheduled", "work", "applied", "purged")
OF_POD = ("created", "bound", "ran")
POINTS = {"T4": ("evicted", min), "T5": ("evicted", max), "T6": ("rescheduled", max), "T7": ("applied", max), "T9": ("purged", max)}
Json = dict[str, Any]


def read_milestones(run: Run, *, began: float, since: float, until: float) -> tuple[list[Row], dict[str, dict[str, int]]]:
    """Return the milestones of a trial from `since` on, and per program and kind the number of writes from `since` to `until`.

    Both are seconds since the trial `began` (time.time()), like the times of its rows.
    """
    rows: list[Row] = []
    writers: dict[str, dict[str, int]] = {}
    for server in (KARMADA, SURVIVOR):
        entries = [(at - began, entry) for at, entry in read_entries(audit.find_audit_logs(run, server)) if at - began >= since]
        writers[server] = dict(
            Counter(f"{get_program(entry)} {describe_write(entry)}" for at, entry in entries if at <= until).most_common()
        )
        found = find_karmada_milestones(entries) if server == KARMADA else find_survivor_milestones(entries)
        rows += [(at, STREAM, name, milestone) for at, name, milestone in found]
    return sorted(rows), writers


def read_entries(files: Iterable[Path]) -> Iterator[tuple[float, Json]]:
    """Yield every entry with the time of its answer. Skip an incomplete line (the log is still being written)."""
    for path in files:
        with path.open() as file:
            for line in file:
                try:
                    entry = json.loads(line)
                    yield datetime.fromisoformat(entry["stageTimestamp"]).timestamp(), entry
                except (ValueError, KeyError):
                    continue


def get_program(entry: Mapping[str, Any]) -> str:
    """Return the program that sent the request, from its user agent."""
    return str(entry.get("userAgent", "?")).partition("/")[0]


def describe_write(entry: Mapping[str, Any]) -> str:
    """Return verb and resource, with the status code when the request was refused."""
    ref = entry.get("objectRef") or {}
    code = int((entry.get("responseStatus") or {}).get("code", 0))
    sub = f"/{ref['subresource']}" if ref.get("subresource") else ""
    return f"{entry['verb']} {ref.get('resource', '?')}{sub}" + ("" if 200 <= code < 300 else f" {code}")


def find_karmada_milestones(entries: Iterable[tuple[float, Json]]) -> Iterator[tuple[float, str, str]]:
    """Yield each application's milestones on Karmada, each at its first occurrence."""
    seen: set[tuple[str, str]] = set()
    for at, entry in sorted(entries, key=lambda each: each[0]):
        ref, written = entry.get("objectRef") or {}, (get_program(entry), describe_write(entry))
        name, namespace = str(ref.get("name", "")), ref.get("namespace")
        milestone = ""
        if is_moved_namespace(namespace) and written == (MANAGER, "update resourcebindings"):
            milestone = "evicted"
        elif is_moved_namespace(namespace) and written == (SCHEDULER, "patch resourcebindings") and (name, "evicted") in seen:
            milestone = "rescheduled"
        elif not name.startswith("app-"):
            continue  # the Work of the namespace itself
        elif namespace == f"karmada-es-{SURVIVOR}" and written[1] in {"create works", "update works/status"}:
            milestone = "work" if written[1] == "create works" else "applied"
        elif namespace == f"karmada-es-{LOST}" and written[1] == "delete works":
            milestone = "purged"
        if milestone and (name, milestone) not in seen:
            seen.add((name, milestone))
            yield at, name, milestone


def find_survivor_milestones(entries: Iterable[tuple[float, Json]]) -> Iterator[tuple[float, str, str]]:
    """Yield each pod's milestones on the survivor; a created pod has no name yet and gets a number."""
    created = 0
    ran: set[str] = set()
    for at, entry in entries:
        ref, did = entry.get("objectRef") or {}, describe_write(entry)
        name = f"{SURVIVOR}/{ref.get('name', '')}"
        if not is_moved_namespace(ref.get("namespace")):
            continue
        if did == "create pods":
            created += 1
            yield at, f"{SURVIVOR}/#{created}", "created"
        elif did == "create pods/binding":
            yield at, name, "bound"
        elif did == "patch pods/status" and name not in ran:
            ran.add(name)
            yield at, name, "ran"


def summarize_audit(samples: Samples, taint: float | None) -> Json:
    """Return points (seconds since the fault), quantiles (seconds since the taint), and writes per pod by program."""
    times: dict[str, list[float]] = {each: [] for each in (*OF_BINDING, *OF_POD)}
    bound: dict[str, float] = {}
    between: list[float] = []
    zero = samples.marks.get("T0", 0.0)
    for at, name, milestone in ((row[0] - zero, *row[2:]) for row in samples.rows if row[1] == STREAM):
        times[milestone].append(at)
        if milestone == "bound":
            bound[name] = at
        elif milestone == "ran" and name in bound:
            between.append(at - bound[name])
    wanted, pods = int(samples.head["sizes"]["applications"]), max(1, int(samples.head["sizes"]["pods"]))

    def spread(milestone: str) -> Quantiles:
        return compute_quantiles(times[milestone], since=taint or 0.0)

    return {
        "points": {
            point: round(pick(times[milestone]), 3) if len(times[milestone]) >= wanted > 0 else None
            for point, (milestone, pick) in POINTS.items()
        },
        "per_binding": {each: spread(each) for each in OF_BINDING},
        "per_pod": {**{each: spread(each) for each in OF_POD}, "bound to ran": compute_quantiles(between)},
        "writes_per_pod": {
            server: {each: round(count / pods, 4) for each, count in counts.items() if count / pods >= 0.0005}
            for server, counts in samples.writers.items()
        },
    }
