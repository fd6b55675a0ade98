"""The way to a server carries what it is given, and keeps the connection when it carries no more."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from scenarios.kit.s3_server import SECRET_KEY, S3Server, SlowWay, forward_slowly


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that gives back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                with here:
                    while data := here.recv(4096):
                        here.sendall(data)

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    serving.join(5)


def wait_no_threads() -> None:
    """Wait until all connections are closed."""
    for thread in threading.enumerate():
        if thread.name.endswith("(carry_both)"):
            thread.join(5)


def test_bytes_are_carried_both_ways(echo: int) -> None:
    with forward_slowly(echo) as way, socket.create_connection(("127.0.0.1", way.port), timeout=5) as here:
        here.sendall(b"all of it")
        assert here.recv(100) == b"all of it"
        here.close()
    wait_no_threads()


def test_beyond_the_limit_nothing_comes_and_the_connection_stays(echo: int) -> None:
    with forward_slowly(echo) as way, socket.create_connection(("127.0.0.1", way.port), timeout=0.3) as here:
        way.stall_after(0)
        here.sendall(b"all of it")
        assert way.stalled.wait(5)
        with pytest.raises(TimeoutError):
            here.recv(100)
        here.close()
    wait_no_threads()


def test_a_url_holds_no_secret(tmp_path: object) -> None:
    server = S3Server(9000, tmp_path, SlowWay(9001))  # type: ignore[arg-type]

    assert server.url("one").startswith("s3://backups/one?endpoint=http://127.0.0.1:9000&")
    assert SECRET_KEY not in server.url("one", port=9001)
