"""A namespace that is being deleted is waited for, with the reason, and no longer than it can come to an end."""

from __future__ import annotations

from typing import Any

import pytest

from deployers.members.terminating import STUCK_AFTER, deletion_problem, wait_terminated
from lab.errors import NotReady, ProvisionError


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Api:
    """A cluster whose namespace is being deleted until `until` by this clock; `conditions` is what its controller says then."""

    server = "https://127.0.0.1:1"

    def __init__(self, clock: Clock, until: float, *conditions: tuple[str, str], changing: bool = False) -> None:
        self.clock, self.ends, self.conditions, self.changing = clock, until, conditions, changing

    def find(self, path: str) -> Any:
        assert path == "/api/v1/namespaces/karmada-cluster"
        if self.clock.time >= self.ends:
            return None
        tail = f" {self.clock.time:.0f}" if self.changing else ""
        said = [{"type": kind, "status": "True", "message": message + tail} for kind, message in self.conditions]
        return {"metadata": {"deletionTimestamp": "now"}, "status": {"conditions": said}}


def wait(api: Api) -> bool:
    return wait_terminated(api, "karmada-cluster", on="member1", clock=api.clock)  # type: ignore[arg-type]


def test_one_that_is_not_there_is_fine() -> None:
    assert not wait(Api(Clock(), 0.0))


def test_one_that_goes_is_waited_for() -> None:
    api = Api(Clock(), 7.0)

    assert wait(api)
    assert 7.0 <= api.clock.time < 8.0


def test_content_that_becomes_less_is_waited_for() -> None:
    api = Api(Clock(), 45.0, ("NamespaceContentRemaining", "secrets. has 3 instances"), changing=True)

    assert wait(api)


@pytest.mark.parametrize("kind", ["NamespaceDeletionDiscoveryFailure", "NamespaceFinalizersRemaining", "NamespaceContentRemaining"])
def test_a_deletion_that_is_stuck_ends_the_wait_early_and_says_what_is_in_its_way(kind: str) -> None:
    api = Api(Clock(), 1e9, (kind, "metrics.k8s.io/v1beta1 does not answer"))
    with pytest.raises(ProvisionError) as stuck:
        wait(api)

    assert not isinstance(stuck.value, NotReady)
    assert STUCK_AFTER <= api.clock.time < STUCK_AFTER + 2
    assert "metrics.k8s.io/v1beta1" in str(stuck.value)


def test_a_namespace_without_conditions_is_waited_for_until_the_timeout() -> None:
    with pytest.raises(NotReady):
        wait(Api(Clock(), 1e9))


def test_false_conditions_do_not_block_deletion() -> None:
    assert deletion_problem({"status": {"conditions": [{"type": "NamespaceContentRemaining", "status": "False", "message": "no"}]}}) == ""
    assert deletion_problem({}) == ""
