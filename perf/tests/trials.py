"""An invented trial: samples with a known timeline, to test the evaluation."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from lab.verbs import app
from perf.commands.app import app as bench_app
from perf.samples import Row, Samples

BEGAN = 1_000_000.0
T0 = 100.0


def head(**changes: Any) -> dict[str, Any]:
    return {
        "shape": "tiny",
        "sizes": {
            "nodes": 2,
            "survivor_nodes": None,
            "applications": 2,
            "replicas": 2,
            "limit_pods": 4,
            "within": 60,
            "mode": "push",
            "pods": 4,
        },
        "profile": "tuned",
        "changes": [],
        "fault": "apiserver",
        "without_failover": False,
        "release": "1.18.2",
        "kubernetes": "1.35.4",
        "settings": {},
        "asked": {},
        "at": "2026-11-24T20:00:00Z",
        "began": BEGAN,
        "machine": {"cores": 2},
        "complete": True,
        "stopped_by": "",
        "notes": [],
        **changes,
    }


def rows() -> list[Row]:
    """Two applications of two pods: taint after 12 s, everything runs at 20 s, purged at 22 s; the limit is 4 pods in 4 s."""
    pod = "running {:.0f}".format
    return [
        (11.0, "limit", "member2/app-00000-h-a", pod(BEGAN + 10)),
        (14.0, "limit", "member2/app-00001-h-b", pod(BEGAN + 10)),
        (14.0, "limit", "member2/app-00000-h-c", pod(BEGAN + 10)),
        (14.0, "limit", "member2/app-00001-h-d", pod(BEGAN + 10)),
        (20.0, "node", "member2/n0", "Ready"),
        (50.0, "pod", "member1/app-00000-x-a", pod(BEGAN + 49)),
        (50.0, "binding", "app-00000-deployment", "member1:2 evicting= ready=member1"),
        (50.0, "work", "member1/app-00000-deployment", "applied"),
        (50.0, "cluster", "member1", "Ready=True taints="),
        (T0 + 11, "cluster", "member1", "Ready=False taints="),
        (T0 + 11.5, "cluster", "member1", "Ready=False taints=not-ready:NoSchedule"),
        (T0 + 12, "cluster", "member1", "Ready=False taints=lost:NoExecute,not-ready:NoSchedule"),
        (T0 + 12.5, "binding", "app-00000-deployment", "- evicting=member1 ready="),
        (T0 + 13, "binding", "app-00001-deployment", "- evicting=member1 ready="),
        (T0 + 13.5, "binding", "app-00000-deployment", "member2:2 evicting=member1 ready="),
        (T0 + 14, "binding", "app-00001-deployment", "member2:2 evicting=member1 ready="),
        (T0 + 14, "work", "member2/app-00000-deployment", "created"),
        (T0 + 14.5, "work", "member2/app-00000-deployment", "applied"),
        (T0 + 15, "work", "member2/app-00001-deployment", "applied"),
        (T0 + 16, "pod", "member2/app-00000-x-a", pod(BEGAN + T0 + 15)),
        (T0 + 17, "pod", "member2/app-00000-x-b", pod(BEGAN + T0 + 15)),
        (T0 + 18, "pod", "member2/app-00001-x-a", pod(BEGAN + T0 + 16)),
        (T0 + 20, "pod", "member2/app-00001-x-b", pod(BEGAN + T0 + 16)),
        (T0 + 21, "binding", "app-00000-deployment", "member2:2 evicting= ready=member2"),
        (T0 + 21.5, "work", "member1/app-00000-deployment", "deleting"),
        (T0 + 21.5, "binding", "app-00001-deployment", "member2:2 evicting= ready=member2"),
        (T0 + 22, "work", "member1/app-00001-deployment", "deleting"),
    ]


def trial(extra: list[Row] | None = None, without: str | None = None, **changes: Any) -> Samples:
    """Return the samples; `extra` rows are put among the others, those of the name `without` are left out."""
    every = sorted([*(row for row in rows() if row[2] != without), *(extra or [])], key=lambda row: row[0])
    ready = {"member2": {"ready": 2, "other": 0}}
    return Samples(
        head(**changes),
        {"limit-began": 10.0, "limit-ended": 14.0, "set-up-began": 40.0, "steady": 60.0, "T0": T0, "T8": T0 + 20},
        every,
        {"T0": {"member2/etcd": (1.0, 1000)}, "T8": {"member2/etcd": (1.4, 5000)}},
        {"T0": {"karmada": {"PUT works/status": 2.0}}, "T8": {"karmada": {"PUT works/status": 10.0, "POST events 429": 4.0}}},
        {name: {"replicas": 2, "pods": ready, "placed": {"member2": 2}} for name in ("app-00000", "app-00001")},
    )


def bench(*arguments: str) -> int:
    """Run `lab bench` with these arguments in this process; return the exit code."""
    with pytest.raises(SystemExit) as stopped:
        app(["bench", *arguments])
    return int(stopped.value.code or 0)


def parse_failover(*arguments: str) -> dict[str, Any]:
    """Return what the command line makes of these arguments of `lab bench failover`."""
    group: Any = typer.main.get_command(bench_app)
    found: dict[str, Any] = group.commands["failover"].make_context("failover", list(arguments)).params
    return found
