"""Trials of sizes that a model of costs is made of."""

from __future__ import annotations

from typing import Any


def made(
    applications: int, replicas: int, *, per_binding: float = 0.02, per_pod: float = 0.015, per_second: float = 0.05
) -> dict[str, Any]:
    """Return the result of a trial in which the survivor spent exactly this."""
    pods, nodes, seconds = applications * replicas, 20 + 7 * (replicas % 30), 30.0 + applications % 37
    idle = per_second * seconds + 0.002 * seconds * nodes / 10
    return {
        "kind": "failover",
        "verdict": "ok",
        "profile": "tuned",
        "changes": [],
        "nodes": {"backend": "kwok"},
        "load_ms": {},
        "sizes": {"applications": applications, "pods": pods, "nodes": nodes, "survivor_nodes": None, "mode": "push"},
        "cpu_seconds": {
            "waiting": {"of": seconds / 2, "member2/etcd": idle / 2},
            "moving": {
                "of": seconds / 2,
                "member2/etcd": idle / 2 + per_binding * applications + per_pod * pods,
                "karmada/etcd": per_binding * applications,
            },
        },
    }
