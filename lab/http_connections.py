"""Connections to one server that several threads share: each is used by one request at a time.

A pool of httpcore 1.0 does not keep this promise (github.com/encode/httpcore/issues/1110): a thread that tidies the pool up closes
connections that look idle, also one that another thread has begun to use meanwhile, which then reads from a descriptor that is closed.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator

import httpx


class HttpConnections(httpx.BaseTransport):
    """At most `most` transports of one connection each, made when needed by `make`. One that is in use is touched by no other request.

    `httpx.PoolTimeout` when none is free within the request's own limit of time for that.
    """

    def __init__(self, make: Callable[[], httpx.BaseTransport], *, most: int) -> None:
        self._make = make
        self._free: queue.LifoQueue[httpx.BaseTransport | None] = queue.LifoQueue()
        for _ in range(most):
            self._free.put(None)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Its connection is free again when the response is closed."""
        try:
            transport = self._free.get(timeout=request.extensions["timeout"]["pool"])
        except queue.Empty as error:
            raise httpx.PoolTimeout("all connections are in use", request=request) from error
        try:
            transport = transport or self._make()
            response = transport.handle_request(request)
        except BaseException:
            self._free.put(transport)
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = LentStream(response.stream, lambda: self._free.put(transport))
        return response

    def close(self) -> None:
        """Close the connections that are not in use."""
        for _ in range(self._free.qsize()):
            try:
                transport = self._free.get_nowait()
            except queue.Empty:
                return
            if transport is not None:
                transport.close()


class LentStream(httpx.SyncByteStream):
    """The body of a response on a connection that is given back when it is closed."""

    def __init__(self, stream: httpx.SyncByteStream, give_back: Callable[[], None]) -> None:
        self._stream = stream
        self._give_back: Callable[[], None] | None = give_back

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        """Close the body and give the connection back. Twice is fine."""
        give_back, self._give_back = self._give_back, None
        if give_back is None:
            return
        try:
            self._stream.close()
        finally:
            give_back()
