from __future__ import annotations

from typing import Any

import pytest

from deployers.operator.control import Leadership, Operator
from deployers.operator.kube import Deposed
from lab.errors import NotPossible, ProvisionError


class Server:
    server = "https://x"

    def __init__(self, **paths: Any) -> None:
        self.paths = paths

    def find(self, path: str) -> Any:
        return self.paths.get("group")

    def get(self, path: str) -> Any:
        return {"metadata": {"uid": "u"}}


class Leader:
    leading = True

    def leads(self) -> bool:
        return self.leading


def make_session() -> tuple[Leadership, Leader]:
    leader = Leader()
    return Leadership(Server(), leader, "u"), leader  # type: ignore[arg-type]


def test_a_cluster_without_the_api_is_refused_with_the_command_that_adds_it() -> None:
    with pytest.raises(NotPossible) as caught:
        Operator(Server(), "kube-system").require_api()  # type: ignore[arg-type]
    assert "lab operator crds" in str(caught.value.remedy)
    assert Operator(Server(group={}), "kube-system").require_api() == "u"  # type: ignore[arg-type]


def test_a_session_writes_only_while_it_leads() -> None:
    session, leader = make_session()
    assert session.leads()
    leader.leading = False
    assert not session.leads()
    leader.leading = True
    session.end(kill=True)
    assert not session.leads()


@pytest.mark.parametrize("error", [Deposed(), ProvisionError("no answer"), ValueError("a bug")])
def test_an_error_of_one_object_delays_this_one_only(error: Exception) -> None:
    session, _ = make_session()
    seen: list[Any] = []

    def reconcile(key: Any) -> None:
        seen.append(key)
        if len(seen) == 2:
            session.ended.set()
        if key[1] == "bad":
            raise error

    session.reconciler.reconcile = reconcile  # type: ignore[method-assign]
    session.queue.add(("x", "bad"))
    session.queue.add(("x", "good"), after=0.001)
    session.work()

    assert sorted(seen) == [("x", "bad"), ("x", "good")]
    assert ("x", "bad") in session.queue.due
