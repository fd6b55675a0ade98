from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.events import EventLog, Events, WatchLost, event_row, follow
from lab.tests.api_fakes import api_server, listing

Json = dict[str, Any]


def event(version: int, message: str = "it is so") -> Json:
    return {
        "metadata": {"name": f"e{version}", "resourceVersion": str(version)},
        "involvedObject": {"kind": "Pod", "namespace": "test", "name": "web-1"},
        "reason": "Scheduled",
        "message": message,
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }


def change(version: int, kind: str = "ADDED") -> Json:
    return {"type": kind, "object": event(version)}


def until_lost(stream: Iterator[Json]) -> list[int]:
    """The versions a stream yields before it is lost."""
    seen: list[int] = []
    with pytest.raises(WatchLost):
        seen.extend(int(each["metadata"]["resourceVersion"]) for each in stream)
    return seen


def test_what_is_there_comes_first_then_what_happens(tmp_path: Path) -> None:
    answers: dict[str, Any] = {
        "/api/v1/events": listing(event(4), event(2), version=5),
        "/api/v1/events?watch": [change(6), {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}, change(10, "DELETED")],
    }
    with api_server(tmp_path, answers) as kubeconfig:
        events = Events(kubeconfig)

        assert until_lost(events.stream()) == [2, 4, 6]
        assert events.seen == 10


def test_after_a_restart_only_what_is_new_comes(tmp_path: Path) -> None:
    answers: dict[str, Any] = {"/api/v1/events": listing(event(2), version=5), "/api/v1/events?watch": [change(6)]}
    with api_server(tmp_path, answers) as kubeconfig:
        events = Events(kubeconfig)
        until_lost(events.stream())
        answers |= {"/api/v1/events": listing(event(2), event(6), event(7), version=7), "/api/v1/events?watch": [change(8)]}

        assert until_lost(events.stream()) == [7, 8]


def test_a_restored_server_is_read_from_its_beginning(tmp_path: Path) -> None:
    answers: dict[str, Any] = {"/api/v1/events": listing(event(50), version=50), "/api/v1/events?watch": []}
    with api_server(tmp_path, answers) as kubeconfig:
        events = Events(kubeconfig)
        until_lost(events.stream())
        answers["/api/v1/events"] = listing(event(3), event(4), version=9)

        assert until_lost(events.stream()) == [3, 4]


def test_an_expired_watch_is_lost_and_taken_up_again(tmp_path: Path) -> None:
    gone = {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
    answers: dict[str, Any] = {"/api/v1/events": listing(version=1), "/api/v1/events?watch": [gone]}
    with api_server(tmp_path, answers) as kubeconfig, pytest.raises(WatchLost, match="too old"):
        list(Events(kubeconfig).stream())


def test_a_server_that_is_away_is_lost(tmp_path: Path) -> None:
    with api_server(tmp_path, {}) as kubeconfig:
        pass

    with pytest.raises(WatchLost):
        list(Events(kubeconfig).stream())


def test_a_cluster_is_followed_until_its_kubeconfig_is_gone(tmp_path: Path) -> None:
    class Ending(EventLog):
        def append(self, row: Json) -> None:
            super().append(row)
            kubeconfig.unlink()

    answers: dict[str, Any] = {"/api/v1/events": listing(event(2), version=2), "/api/v1/events?watch": []}
    with api_server(tmp_path, answers) as kubeconfig:
        follow(kubeconfig, Ending(tmp_path / "events.jsonl"))

    (line,) = (tmp_path / "events.jsonl").read_text().splitlines()
    assert json.loads(line)["object"] == "Pod test/web-1"


def test_messages_are_masked() -> None:
    assert event_row(event(1, "cannot pull with token: hunter2hunter2"))["message"] == "cannot pull with token: ***"


def test_a_full_file_is_put_aside(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl", limit=100)
    for number in range(9):
        log.append({"number": number, "text": "x" * 40})
    log.close()

    assert (tmp_path / "events.jsonl").stat().st_size <= 200
    assert (tmp_path / "events.jsonl.1").stat().st_size <= 200
