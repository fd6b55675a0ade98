"""Connections that threads share: each request has one for itself until its response is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from lab.http_connections import HttpConnections

SHORT = httpx.Timeout(1.0, pool=0.05)


class Body(httpx.SyncByteStream):
    """A body that frees its connection when it is closed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __iter__(self) -> Iterator[bytes]:
        yield b"answer"

    def close(self) -> None:
        self.connection.used.release()


class Connection(httpx.BaseTransport):
    """A transport that fails when a second request comes while its first response is open."""

    def __init__(self) -> None:
        self.used = threading.Lock()
        self.closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self.used.acquire(blocking=False):
            raise AssertionError("two requests on one connection")
        if request.url.path == "/broken":
            self.used.release()
            raise httpx.ReadError("broken")
        time.sleep(0.001)  # lets another thread begin
        return httpx.Response(200, stream=Body(self))

    def close(self) -> None:
        self.closed = True


class Made:
    """A client and the connections that were made for it."""

    def __init__(self, *, most: int) -> None:
        self.connections: list[Connection] = []
        self.client = httpx.Client(base_url="http://server", transport=HttpConnections(self.make, most=most), timeout=SHORT)

    def make(self) -> Connection:
        self.connections.append(Connection())
        return self.connections[-1]


def test_threads_never_share_a_connection() -> None:
    made = Made(most=8)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: made.client.get("/").text, range(200)))

    assert answers == ["answer"] * 200
    assert 2 <= len(made.connections) <= 8


def test_a_connection_is_used_again_once_its_response_is_closed() -> None:
    made = Made(most=8)
    with made.client.stream("GET", "/"):
        made.client.get("/")
        made.client.get("/")

    made.client.get("/")
    assert len(made.connections) == 2


def test_no_more_connections_than_allowed_are_made() -> None:
    made = Made(most=1)
    with made.client.stream("GET", "/"), pytest.raises(httpx.PoolTimeout):
        made.client.get("/")

    assert made.client.get("/").text == "answer"
    assert len(made.connections) == 1


def test_a_request_that_fails_frees_its_connection() -> None:
    made = Made(most=1)
    for _ in range(3):
        with pytest.raises(httpx.ReadError):
            made.client.get("/broken")

    assert made.client.get("/").text == "answer"


def test_closing_closes_what_is_free() -> None:
    made = Made(most=3)
    with made.client.stream("GET", "/"):
        made.client.get("/")
    made.client.close()

    assert [each.closed for each in made.connections] == [True, True]
