from __future__ import annotations

from typing import Any

import httpx

from deployers.operator.election import DEADLINE, DURATION, Election
from lab.api import Refused, Unreachable

Json = dict[str, Any]


class Server:
    """A Lease with optimistic locking."""

    def __init__(self) -> None:
        self.lease: Json | None = None
        self.away = False

    def find(self, path: str) -> Json | None:
        self.require_there()
        return self.lease and {**self.lease, "metadata": dict(self.lease["metadata"])}

    def create(self, manifest: Json) -> Json:
        self.require_there()
        if self.lease is not None:
            raise refusal()
        return self.store(manifest, 1)

    def request(self, verb: str, path: str, *, body: Json) -> Json:
        self.require_there()
        if self.lease is None or body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise refusal()
        return self.store(body, int(self.lease["metadata"]["resourceVersion"]) + 1)

    def store(self, manifest: Json, version: int) -> Json:
        self.lease = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": str(version)}}
        return self.lease

    def require_there(self) -> None:
        if self.away:
            raise Unreachable("no answer")


def refusal() -> Refused:
    return Refused("PUT", "/", httpx.Response(409, json={"reason": "Conflict"}))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def candidates() -> tuple[Server, Clock, Election, Election]:
    server, clock = Server(), Clock()
    one, other = (Election(server, "kube-system", name, clock) for name in ("one", "other"))  # type: ignore[arg-type]
    return server, clock, one, other


def test_one_leads_and_the_other_waits() -> None:
    _, clock, one, other = candidates()
    assert one.attempt()
    assert not other.attempt()
    clock.now += DURATION - 1
    assert one.attempt()
    clock.now += DURATION - 1
    assert not other.attempt(), "the Lease changed meanwhile"


def test_another_one_takes_over_when_the_lease_has_not_changed_for_its_duration() -> None:
    server, clock, one, other = candidates()
    one.attempt()
    other.attempt()
    clock.now += DURATION + 1
    assert other.attempt()
    assert not one.attempt()
    assert server.lease is not None
    assert server.lease["spec"]["leaseTransitions"] == 2


def test_the_leader_stops_before_another_one_can_take_over() -> None:
    """A leader that is stopped, or with a server that does not answer, counts itself deposed by its own clock."""
    server, clock, one, other = candidates()
    one.attempt()
    other.attempt()
    server.away = True
    clock.now += DEADLINE - 1
    assert one.attempt()
    clock.now += 2
    assert not one.leads()
    assert not one.attempt()
    server.away = False
    assert not other.attempt(), "not before its duration"


def test_a_released_lease_is_free_at_once() -> None:
    _, _, one, other = candidates()
    one.attempt()
    one.release()

    assert not one.leads()
    assert other.attempt()


def test_of_two_that_try_at_once_one_wins() -> None:
    server, clock, one, other = candidates()
    one.attempt()
    clock.now += 3 * DURATION
    stale = server.find("")
    other.seen = ("1", 0.0)
    assert other.attempt()
    assert stale is not None
    assert stale["metadata"]["resourceVersion"] != server.find("")["metadata"]["resourceVersion"]  # type: ignore[index]
    assert not one.attempt()
