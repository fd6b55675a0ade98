"""Conditions of ReplicaSets and pods become causes."""

from __future__ import annotations

from typing import Any

import pytest

from lab.diagnosis.cause import Rank
from lab.diagnosis.workloads import explain_pods, explain_sets, find_workload_causes, shorten

Json = dict[str, Any]


def make_object(name: str = "a", *, deleted: bool = False, **status: Any) -> Json:
    metadata = {"name": name, "namespace": "shop", **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {})}
    return {"metadata": metadata, "status": status}


def make_condition(kind: str, status: str, message: str = "") -> Json:
    return {"type": kind, "status": status, "message": message}


@pytest.mark.parametrize(("status", "deleted", "causes"), [("True", False, 1), ("True", True, 0), ("False", False, 0)])
def test_a_set_that_cannot_create_pods_is_a_cause(status: str, deleted: bool, causes: int) -> None:
    item = make_object(deleted=deleted, conditions=[make_condition("ReplicaFailure", status, "exceeded quota: none")])

    found = list(explain_sets([item], "member1"))

    assert len(found) == causes
    assert all("exceeded quota: none" in cause.text and cause.subject == "member1" for cause in found)


def test_a_pod_that_no_node_takes_is_a_cause() -> None:
    item = make_object(conditions=[make_condition("PodScheduled", "False", "0/2 nodes are available")])

    (cause,) = explain_pods([item], "member1")

    assert cause.rank is Rank.WORKLOAD
    assert "0/2 nodes" in cause.text


@pytest.mark.parametrize(("reason", "causes"), [("ImagePullBackOff", 1), ("ContainerCreating", 0)])
def test_a_container_that_cannot_start_is_a_cause(reason: str, causes: int) -> None:
    item = make_object(containerStatuses=[{"image": "none:1", "state": {"waiting": {"reason": reason}}}])

    assert len(list(explain_pods([item], "member1"))) == causes


def test_only_the_named_namespace_is_read() -> None:
    seen: list[str] = []

    class Paths:
        def get(self, path: str) -> Json:
            seen.append(path)
            return {"items": None}

    assert list(find_workload_causes(Paths(), "member1", "shop")) == []  # type: ignore[arg-type]
    assert all("/namespaces/shop/" in path for path in seen)


def test_a_message_is_one_short_line() -> None:
    assert shorten("a\n b" + "c" * 400, 10) == "a bcccccc…"
    assert shorten(None) == "no reason given"
