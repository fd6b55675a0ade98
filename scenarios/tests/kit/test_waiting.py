from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiException
from urllib3.exceptions import MaxRetryError

from lab.errors import NotReady
from scenarios.kit import waiting
from scenarios.kit.waiting import eventually, watch


def failing(*errors: BaseException) -> Any:
    """A check that raises these, one a call, and then returns "done"."""
    left = iter(errors)

    def check() -> str:
        """the check holds"""
        for error in left:
            raise error
        return "done"

    return check


def test_what_does_not_hold_yet_is_asked_again() -> None:
    assert eventually(failing(AssertionError("1 of 2"), AssertionError("")), within=5, every=0.01) == "done"


def test_an_api_that_is_away_is_asked_again() -> None:
    away = [ApiException(status=503, reason="Unavailable"), MaxRetryError(SimpleNamespace(), "/", None)]  # type: ignore[arg-type]

    assert eventually(failing(*away), within=5, every=0.01) == "done"


def test_a_timeout_shows_the_last_assertion() -> None:
    with pytest.raises(NotReady, match="the check holds") as late:
        eventually(failing(*[AssertionError("1 of 2 replicas")] * 1000), within=0.05, every=0.01)

    assert late.value.last == "1 of 2 replicas"


def test_a_bug_of_the_check_is_no_reason_to_ask_again() -> None:
    with pytest.raises(KeyError):
        eventually(failing(KeyError("x")), within=5)


class Watch:
    """A watch that yields what it is given, one list a connection."""

    def __init__(self, connections: list[Any]) -> None:
        self.connections = connections

    def __call__(self) -> Watch:
        return self

    def stream(self, *_: Any, **__: Any) -> Iterator[Any]:
        given = self.connections.pop(0) if self.connections else []
        if isinstance(given, Exception):
            raise given
        yield from given


def change(value: int, kind: str = "MODIFIED") -> dict[str, Any]:
    return {"type": kind, "object": value}


def at_least(least: int) -> Any:
    return lambda value: None if value >= least else f"{value} of {least}"


def test_a_watch_ends_with_the_first_object_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "Watch", Watch([[change(1, "ADDED"), change(2), change(3)]]))

    assert watch(print, name="x", holds=at_least(2), what="it", within=5) == 2


def test_a_broken_watch_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "Watch", Watch([[change(1)], ApiException(status=410), [change(2)]]))
    monkeypatch.setattr(waiting, "pause", lambda: None)

    assert watch(print, name="x", holds=at_least(2), what="it", within=5) == 2


def test_a_watch_tells_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "Watch", Watch([[change(1), change(1, "DELETED")]]))

    with pytest.raises(NotReady) as late:
        watch(print, name="x", holds=at_least(2), what="it", within=0.1)

    assert late.value.last == "deleted"
