"""A TCP proxy for one link, so that it can be cut: netem and firewalls need privileges that a CI job does not have.

It can connect two network namespaces. A process in its own namespace then reaches the others through such proxies only, like a machine
behind cables.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHUNK = 1 << 16
CLONE_NEWNET = 0x40000000
"""Of setns(2). Python has it from 3.12 on."""


class Proxy:
    """Forwards connections to a port of this computer until it is cut; from then on nothing passes, as when a cable is pulled.

    Connections stay open and new ones are accepted, so both ends find out by their own time-outs and not by a refusal. It listens on
    `port` (any: 0) of the network namespace `listens`, and connects to the target in the namespace `dials`; None is our own.
    """

    def __init__(self, target: int, *, port: int = 0, listens: Path | None = None, dials: Path | None = None) -> None:
        self.target = target
        self._dials = dials
        with enter_namespace(listens):
            self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._passing = asyncio.Event()
        self._passing.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._run, name=f"proxy to {target}", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Stop forwarding; connections stay open."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def restore(self) -> None:
        """Forward again, held-back data included."""
        self._loop.call_soon_threadsafe(self._passing.set)

    def close(self) -> None:
        """Close every connection and the port."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        self._listener.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._accept, sock=self._listener))
        self._loop.run_forever()
        self._server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))  # transports close in the loop's next turn
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with suppress(OSError, asyncio.CancelledError):  # only `close` waits for this connection's task
                await self._passing.wait()
                with enter_namespace(self._dials):
                    dialled = socket.socket()
                dialled.setblocking(False)
                try:
                    await asyncio.get_running_loop().sock_connect(dialled, ("127.0.0.1", self.target))
                except OSError:
                    dialled.close()
                    raise
                there, back = await asyncio.open_connection(sock=dialled)
                try:
                    await asyncio.gather(self._pipe(reader, back), self._pipe(there, writer))
                finally:
                    back.close()
        finally:
            writer.close()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()  # TLS ends both directions at once: do not wait for the other one


@contextmanager
def enter_namespace(namespace: Path | None) -> Iterator[None]:
    """Have sockets that this thread makes in the body be of a network namespace (a file as in /run/netns). OSError when it may not be."""
    if namespace is None:
        yield
        return
    ours, theirs = (os.open(path, os.O_RDONLY | os.O_CLOEXEC) for path in ("/proc/thread-self/ns/net", namespace))
    try:
        set_namespace(theirs)
        try:
            yield
        finally:
            set_namespace(ours)
    finally:
        os.close(ours)
        os.close(theirs)


def set_namespace(namespace: int) -> None:
    """Move this thread into a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"setns: {os.strerror(ctypes.get_errno())}")
