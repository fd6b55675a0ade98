from __future__ import annotations

from typing import Any

from deployers.operator.recorder import PAUSE, Recorder

ITEM = {"kind": "KarmadaDeployment", "metadata": {"name": "prod", "namespace": "fleet", "uid": "u"}}


class Server:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def apply(self, manifest: dict[str, Any]) -> None:
        self.events.append(manifest)


def test_a_thousand_failures_are_two_events_in_five_minutes() -> None:
    server, now = Server(), [0.0]
    recorder = Recorder(server, clock=lambda: now[0] + 10_000)  # type: ignore[arg-type]
    for _ in range(1000):
        now[0] += PAUSE * 1.5 / 1000
        recorder.record(ITEM, "JoinFailed", "no route", kind="Warning")

    assert len(server.events) == 2
    assert len({event["metadata"]["name"] for event in server.events}) == 1, "the second one updates the first"
    assert server.events[-1]["count"] > 600


def test_reasons_and_objects_do_not_hide_each_other() -> None:
    server = Server()
    recorder = Recorder(server)  # type: ignore[arg-type]
    recorder.record(ITEM, "JoinFailed", "a", kind="Warning")
    recorder.record(ITEM, "UpgradeFailed", "b", kind="Warning")
    recorder.record({**ITEM, "metadata": {**ITEM["metadata"], "uid": "v"}}, "JoinFailed", "c", kind="Warning")  # type: ignore[dict-item]

    assert [event["message"] for event in server.events] == ["a", "b", "c"]
    assert server.events[0]["involvedObject"]["uid"] == "u"
