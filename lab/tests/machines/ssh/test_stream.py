"""The stream of a remote command: when either side ends, the other one learns it at once."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from lab.machines.ssh.stream import SshStream
from lab.wait import NotYet, until


class Channel:
    """A command that prints what is put into `printed`; b"" is its end."""

    def __init__(self) -> None:
        self.printed: queue.Queue[bytes] = queue.Queue()
        self.sent: list[bytes] = []

    def recv(self, size: int) -> bytes:
        return self.printed.get()

    def sendall(self, content: bytes) -> None:
        self.sent.append(content)


class Host:
    name = "a"


class Sessions:
    """A connection that notes which sessions are closed."""

    host = Host()

    def __init__(self) -> None:
        self.closed: list[Channel] = []

    def close_session(self, channel: Channel) -> None:
        self.closed.append(channel)
        channel.printed.put(b"")


@contextmanager
def connected() -> Iterator[tuple[socket.socket, Channel, SshStream]]:
    channel, sessions = Channel(), Sessions()
    stream = SshStream(sessions, channel, b"first ")  # type: ignore[arg-type]
    ours, theirs = socket.socketpair()
    with ours:
        ours.settimeout(5.0)
        stream.connect(theirs)
        yield ours, channel, stream


def test_what_either_side_writes_reaches_the_other() -> None:
    with connected() as (ours, channel, _):
        channel.printed.put(b"answer")
        ours.sendall(b"request")
        got = b""
        while len(got) < len("first answer"):
            got += ours.recv(100)

        def look() -> None:
            if b"".join(channel.sent) != b"request":
                raise NotYet("it is on its way")

        until(look, what="the request arrives", within=5.0)
    assert got == b"first answer"


def test_a_command_that_ends_closes_the_socket_at_once() -> None:
    with connected() as (ours, channel, _):
        assert ours.recv(100) == b"first "
        channel.printed.put(b"")
        assert ours.recv(100) == b""


def test_a_socket_that_is_closed_ends_the_session() -> None:
    with connected() as (ours, _, stream):
        ours.close()

        def look() -> None:
            if stream.open:
                raise NotYet("the session is open")

        until(look, what="the session is closed", within=5.0)
