"""The audit log is read line by line: program, write and time of each first occurrence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lab.run import Run
from perf import audit, report
from perf.result import evaluate_trial
from perf.tests.trials import BEGAN, T0, trial

Json = dict[str, Any]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("trial", {}, root=tmp_path)


def entry(after: float, agent: str, verb: str, resource: str, namespace: str = "perf", name: str = "", code: int = 200) -> Json:
    """One write, answered so many seconds after the fault."""
    kind, _, sub = resource.partition("/")
    ref = {"resource": kind, "namespace": namespace, **({"name": name} if name else {}), **({"subresource": sub} if sub else {})}
    return {
        "verb": verb,
        "userAgent": f"{agent}/v1.18.2 (linux/amd64)",
        "objectRef": ref,
        "responseStatus": {"code": code},
        "stageTimestamp": datetime.fromtimestamp(BEGAN + T0 + after, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def karmada() -> list[Json]:
    manager, scheduler = "karmada-controller-manager", "karmada-scheduler"
    found = [entry(-5, manager, "update", "resourcebindings", name="app-00000-deployment")]
    for number in range(2):
        binding, work = f"app-0000{number}-deployment", f"app-0000{number}-deployment-7f9c"
        found += [
            entry(12.4 + number, scheduler, "patch", "resourcebindings", name=binding, code=409),
            entry(12.5 + number, manager, "update", "resourcebindings", name=binding),
            entry(12.7 + number, scheduler, "patch", "resourcebindings/status", name=binding),
            entry(13.0 + number, scheduler, "patch", "resourcebindings", name=binding),
            entry(13.2 + number, manager, "create", "works", "karmada-es-member2", work, 201),
            entry(13.4 + number, manager, "update", "works/status", "karmada-es-member2", work),
            entry(19.0 + number, manager, "update", "works/status", "karmada-es-member2", work),
            entry(20.5 + number, manager, "update", "resourcebindings", name=binding),
            entry(21.0 + number, manager, "delete", "works", "karmada-es-member1", f"{work}-old"),
        ]
    return [*found, entry(14, manager, "update", "works/status", "karmada-es-member2", "perf-7f9c")]


def survivor() -> list[Json]:
    other = entry(15, "kube-controller-manager", "create", "pods", "kube-system", code=201)
    found = []
    for number, name in enumerate(("a", "b", "c", "d")):
        found += [
            entry(14.0 + number, "kube-controller-manager", "create", "pods", code=201),
            entry(14.5 + number, "kube-scheduler", "create", "pods/binding", name=name, code=201),
            entry(15.0 + number, "kwok", "patch", "pods/status", name=name),
            entry(16.0 + number, "kwok", "patch", "pods/status", name=name),
        ]
    return [other, *found]


def written(run: Run, cluster: str, entries: list[Json], file: str = "audit.jsonl") -> None:
    text = "".join(json.dumps(each) + "\n" for each in entries)
    (run.folder("logs", cluster) / file).write_text(text)


def test_milestones_are_the_first_of_their_kind_by_who_makes_them(run: Run) -> None:
    found = karmada()
    written(run, "karmada", found[:6], "audit-2026-11-24T20-00-00.000.jsonl")
    written(run, "karmada", found[6:])
    written(run, "member2", survivor())
    samples = trial()
    rows, samples.writers = audit.read_milestones(run, began=BEGAN, since=T0, until=T0 + 20)
    samples.rows += rows
    judged = evaluate_trial(samples)["audit"]

    assert judged["points"] == {"T4": 12.5, "T5": 13.5, "T6": 14.0, "T7": 14.4, "T9": 22.0}
    assert judged["per_pod"]["created"] == {"n": 4, "p50": 3.5, "p90": 4.7, "p99": 4.97, "max": 5.0}
    assert judged["per_pod"]["bound to ran"]["max"] == 0.5
    assert judged["writes_per_pod"]["karmada"]["karmada-controller-manager update resourcebindings"] == 0.5, "not after T8, not before T0"
    assert judged["writes_per_pod"]["karmada"]["karmada-scheduler patch resourcebindings 409"] == 0.5
    assert judged["writes_per_pod"]["member2"]["kwok patch pods/status"] == 2.0


def test_a_line_that_is_cut_short_and_a_log_that_is_not_there(run: Run) -> None:
    whole = json.dumps(entry(14, "kube-controller-manager", "create", "pods", code=201))
    (run.folder("logs", "member2") / "audit.jsonl").write_text(f"{whole}\n{whole[:40]}")
    rows, writers = audit.read_milestones(run, began=BEGAN, since=T0, until=T0 + 20)

    assert rows == [(T0 + 14, "audit", "member2/#1", "created")]
    assert writers == {"karmada": {}, "member2": {"kube-controller-manager create pods": 1}}


def test_points_of_which_anything_is_missing_are_none(run: Run) -> None:
    written(run, "karmada", [each for each in karmada() if "00001" not in each["objectRef"].get("name", "")])
    samples = trial()
    rows, samples.writers = audit.read_milestones(run, began=BEGAN, since=T0, until=T0 + 20)
    samples.rows += rows
    judged = evaluate_trial(samples)

    assert set(judged["audit"]["points"].values()) == {None}
    assert judged["audit"]["per_binding"]["evicted"]["n"] == 1


def test_the_page_has_both(run: Run, tmp_path: Path) -> None:
    written(run, "karmada", karmada())
    samples = trial()
    rows, samples.writers = audit.read_milestones(run, began=BEGAN, since=T0, until=T0 + 20)
    samples.rows += rows
    samples.save(tmp_path)
    judged = report.evaluate_and_write(type(samples).load(tmp_path), tmp_path, goal=None)

    assert judged["points"]["T4"] == judged["audit"]["points"]["T4"]
    html = (tmp_path / report.PAGE).read_text()
    assert "written, by the audit log" in html
    assert "<code>karmada-scheduler patch resourcebindings</code>" in html
