from __future__ import annotations

from typing import Any

import pytest

from deployers.operator.admission import review
from deployers.tests.operator_fakes import small

Json = dict[str, Any]
WRONG = {**small(), "release": "9.9.9", "profile": "nope"}


def ask(new: Json, old: Json | None = None, **request: Any) -> Json:
    deleting = {"deletionTimestamp": "2026-11-29T00:00:00Z"} if request.pop("deleting", False) else {}
    return review(
        {
            "uid": "1",
            "operation": "UPDATE" if old else "CREATE",
            "object": {"metadata": {"name": "prod", **deleting}, "spec": new},
            "oldObject": {"spec": old} if old else None,
            **request,
        }
    )


def test_every_fault_is_in_one_refusal_with_its_field() -> None:
    answer = ask({**small(), "release": "9.9.9", "images": {"registry": "r.example"}})

    assert not answer["allowed"]
    assert {cause["field"] for cause in answer["status"]["details"]["causes"]} == {"spec.release", "spec.images.registry"}
    assert (answer["uid"], answer["status"]["reason"]) == ("1", "Invalid")


@pytest.mark.parametrize(
    "answer",
    [
        ask(WRONG, small(), deleting=True),
        ask(WRONG, WRONG),
        ask(WRONG, small(), subResource="status"),
        ask(WRONG, small(), operation="DELETE"),
        ask(small()),
    ],
)
def test_nothing_is_in_the_way_of_status_finalizers_and_deletion(answer: Json) -> None:
    assert answer == {"uid": "1", "allowed": True}


def test_what_may_not_be_meant_is_a_warning() -> None:
    def spec(**modes: str) -> Json:
        members = [{"name": name, "mode": mode, "kubeconfigSecretRef": {"name": name}} for name, mode in modes.items()]
        return {**small(), "members": members}

    answer = ask(spec(a="Pull"), spec(a="Push", b="Push"))

    assert answer["allowed"]
    leaving, joining = answer["warnings"]
    assert ": b will" in leaving
    assert ": a will" in joining
