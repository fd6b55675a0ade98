"""A lost connection is not an absent supervisor: what runs on a machine is unknown then, and is asked again."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from lab.errors import CommandLost, NotReady
from lab.machines import remote_supervisor
from lab.machines.remote_supervisor import NOT_SHIPPED, RemoteSupervisor
from lab.supervisor.bridge import CONNECTED

PROGRAM = {
    "name": "karmada/etcd",
    "state": "running",
    "pid": 7,
    "argv": ["etcd"],
    "log": "/l",
    "status": None,
    "settled": True,
    "restarts": 0,
    "started_at": 0.0,
    "ended_at": None,
    "delay": 0.0,
    "needs": [],
    "ports": [],
    "log_offset": 0,
}
LIST = {"ok": True, "pid": 1, "lease": 30.0, "detached": False, "closing": False, "holders": [], "processes": [PROGRAM]}


@dataclass
class Stream:
    """A session with a bridge: it prints `line` and ends with `status`, or answers each request; without an answer it breaks."""

    line: bytes = b""
    status: int | None = None
    answer: dict[str, Any] | None = None
    open: bool = True
    asked: list[str] = field(default_factory=list)

    def read_line(self) -> bytes:
        return self.line

    def read_status(self) -> int | None:
        return self.status

    def close(self) -> None:
        self.open = False

    def connect(self, peer: socket.socket) -> None:
        def serve() -> None:
            with peer, peer.makefile("rw") as lines:
                for line in lines:
                    self.asked.append(json.loads(line)["op"])
                    if self.answer is None:
                        self.open = False
                        return
                    lines.write(json.dumps(self.answer) + "\n")
                    lines.flush()

        threading.Thread(target=serve, daemon=True).start()


class Connection:
    def __init__(self) -> None:
        self.kept: dict[str, list[Any]] = {}
        self.starting = threading.Lock()


class Machine:
    """A machine whose sessions are these, one after the other; an error is raised."""

    name, folder, root = "machine1", "/there", "/there/runs/a"

    def __init__(self, *sessions: Stream | Exception) -> None:
        self.sessions = list(sessions)
        self.connection = Connection()

    def open_stream(self, argv: list[str]) -> Stream:
        found = self.sessions.pop(0) if len(self.sessions) > 1 else self.sessions[0]
        if isinstance(found, Exception):
            raise found
        return found


MACHINES: list[Machine] = []


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give up soon, and close the kept sessions afterwards."""
    monkeypatch.setattr(remote_supervisor, "CONNECT_WITHIN", 0.3)
    yield
    for kept in [kept for machine in MACHINES for pool in machine.connection.kept.values() for kept in pool]:
        kept.close()
    MACHINES.clear()


def supervisor_of(*sessions: Stream | Exception) -> RemoteSupervisor:
    MACHINES.append(Machine(*sessions))
    return RemoteSupervisor(MACHINES[-1], lambda: None)  # type: ignore[arg-type]


LOST = CommandLost(["sh"], why="the connection was lost", output="", machine="machine1")


def test_a_machine_without_a_supervisor_runs_nothing() -> None:
    assert supervisor_of(Stream(status=1)).programs() == {}
    supervisor_of(Stream(status=3)).stop("karmada/etcd")


@pytest.mark.parametrize("lost", [Stream(), LOST, Stream(CONNECTED)], ids=["before-its-line", "at-its-start", "before-its-answer"])
def test_a_lost_session_is_followed_by_another(lost: Stream | Exception) -> None:
    found = supervisor_of(lost, Stream(CONNECTED, answer=LIST))

    assert [*found.programs()] == ["karmada/etcd"]
    assert [*found.programs()] == ["karmada/etcd"], "by the kept session"


@pytest.mark.parametrize("lost", [Stream(), LOST, Stream(CONNECTED)], ids=["before-its-line", "at-its-start", "before-its-answer"])
def test_a_machine_that_stays_lost_is_an_error_and_no_stopped_program(lost: Stream | Exception) -> None:
    with pytest.raises(NotReady, match="machine1"):
        supervisor_of(lost).programs()
    with pytest.raises(NotReady, match="machine1"):
        supervisor_of(lost).stop("karmada/etcd")


def test_shutdown_leaves_a_lost_machine_to_its_lease() -> None:
    supervisor_of(Stream()).shutdown()
    done = Stream(CONNECTED, answer={"ok": True})
    supervisor_of(done).shutdown()
    assert done.asked == ["shutdown"]


def test_a_bridge_that_is_not_there_is_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped: list[str] = []
    monkeypatch.setattr(RemoteSupervisor, "_ship", lambda self: shipped.append(self.archive))
    found = supervisor_of(Stream(status=NOT_SHIPPED), Stream(CONNECTED, answer=LIST))

    assert [*found.programs()] == ["karmada/etcd"]
    assert shipped == [found.archive]
