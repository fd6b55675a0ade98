"""One thread's sockets, signals and timers, and JSON lines over a socket."""

from __future__ import annotations

import heapq
import itertools
import json
import os
import select
import socket
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Json = dict[str, Any]
LONGEST_LINE = 4 << 20


class Timer:
    """Something that will be called, unless cancelled."""

    __slots__ = ("call", "when")

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when = when
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class Loop:
    """Calls back when a descriptor is ready or a time has come; an error in a callback is reported and survived."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._watched: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()
        self._stopped = False

    def watch(self, fd: int, call: Callable[[int], None], events: int = select.EPOLLIN) -> None:
        if fd in self._watched:
            self._poll.modify(fd, events)
        else:
            self._poll.register(fd, events)
        self._watched[fd] = call

    def forget(self, fd: int) -> None:
        if self._watched.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(time.monotonic() + seconds, call)
        heapq.heappush(self._timers, (timer.when, next(self._count), timer))
        return timer

    def stop(self) -> None:
        self._stopped = True

    def run(self) -> None:
        """Serve until `stop`."""
        while not self._stopped:
            for fd, events in self._poll.poll(self._pause()):
                call = self._watched.get(fd)
                if call is not None:
                    call_guarded(call, events)
            self._ring()

    def _pause(self) -> float:
        """Return the seconds until the next timer that still counts; -1 when there is none."""
        while self._timers and self._timers[0][2].call is None:
            heapq.heappop(self._timers)
        return max(self._timers[0][0] - time.monotonic(), 0.0) if self._timers else -1

    def _ring(self) -> None:
        """Call what is due."""
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            call = heapq.heappop(self._timers)[2].call
            if call is not None:
                call_guarded(call)


def log_line(text: str) -> None:
    """Write a line to the supervisor's log; on a full disk, nothing."""
    with suppress(OSError):
        os.write(2, f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n".encode())


def call_guarded(call: Callable[..., None], *arguments: object) -> None:
    """Call; print the traceback of what goes wrong (to the supervisor's log, which may be on a full disk) and go on."""
    try:
        call(*arguments)
    except Exception:  # noqa: BLE001 (whatever it is, the lab's programs must not die of it)
        log_line(traceback.format_exc())


class Connection:
    """A peer that sends JSON lines and is answered by JSON lines. Never blocks, however slowly the peer reads."""

    def __init__(
        self, loop: Loop, peer: socket.socket, *, ask: Callable[[Connection, Json], None], gone: Callable[[Connection], None]
    ) -> None:
        self.loop = loop
        self.peer = peer
        self.ask = ask
        self.gone = gone
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.open = True
        peer.setblocking(False)
        loop.watch(peer.fileno(), self._ready)

    def answer(self, message: Json) -> None:
        """Send a line; to a peer that has gone, nothing."""
        if self.open:
            self.outgoing += json.dumps(message).encode() + b"\n"
            self._flush()

    def close(self) -> None:
        if self.open:
            self.open = False
            self.loop.forget(self.peer.fileno())
            self.peer.close()
            self.gone(self)

    def _ready(self, events: int) -> None:
        if events & select.EPOLLOUT:
            self._flush()
        if self.open and events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            self._read()

    def _read(self) -> None:
        try:
            chunk = self.peer.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.close()
            return
        self.incoming += chunk
        while self.open and (end := self.incoming.find(b"\n")) >= 0:
            line = bytes(self.incoming[:end])
            del self.incoming[: end + 1]
            try:
                message = json.loads(line)
                if not isinstance(message, dict):
                    raise TypeError("not an object")  # noqa: TRY301
            except (ValueError, TypeError) as error:
                self.answer({"ok": False, "code": "protocol", "error": f"not a request: {error}"})
                continue
            self.ask(self, message)
        if len(self.incoming) > LONGEST_LINE:
            self.close()

    def _flush(self) -> None:
        try:
            while self.outgoing:
                del self.outgoing[: self.peer.send(self.outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        self.loop.watch(self.peer.fileno(), self._ready, select.EPOLLIN | (select.EPOLLOUT if self.outgoing else 0))
