"""The connection to one machine: shared by all threads of this process, made when first needed and again when it was lost.

paramiko has no limit of time for several of its waits, so a thread asks the server for a sign of life every few seconds and closes the
connection when none comes: whatever waits then ends.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko

from lab.errors import LabError
from lab.machines.ssh.connect_errors import RefuseUnknownHost, connect_error, key_error
from lab.machines.ssh.host import SshHost
from lab.machines.ssh.signals import report_exit_signals

CONNECT_WITHIN = 10.0
"""Seconds for the TCP connection, and again for the handshake and for the login."""
KEEP_ALIVE = 5.0
"""Seconds between two signs of life."""
SILENT_AFTER = 15.0
"""Seconds without a sign of life after which a connection counts as lost."""

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # its errors are raised; without a handler they would be printed, too

MANY = 1000
"""Sessions that are opened at once until the server refuses one."""


class NoSession(Exception):
    """The server opened no session within the time given. The text says why."""


class SshConnection:
    """A connection to a host. `open_session` may be called by many threads at once."""

    def __init__(self, host: SshHost, jump: SshConnection | None) -> None:
        self.host = host
        self.jump = jump
        self._connecting = threading.Lock()
        self._client: paramiko.SSHClient | None = None
        self._sessions = threading.Condition()
        self._open = 0
        self._limit = MANY
        self.starting = threading.Lock()
        """Held by a thread that starts a supervisor there."""
        self.kept: dict[str, list[Any]] = {}
        """Streams kept for the next request to a supervisor there, by its run's directory."""

    def open_session(self, *, within: float) -> paramiko.Channel:
        """Return a new session, to be given back to `close_session`; connect first if need be.

        The server limits the sessions of a connection (MaxSessions, usually 10): where it refuses one more, wait until one is closed.
        NoSession when `within` seconds were not enough; ProvisionError when the host cannot be reached.
        """
        deadline = time.monotonic() + within
        while True:
            transport = self.transport()
            with self._sessions:
                while self._open >= self._limit:
                    if not self._sessions.wait(max(deadline - time.monotonic(), 0.0)):
                        raise NoSession(f"{self.host.name} has {self._open} sessions open, and allows no more")
                try:
                    # One at a time: paramiko keeps one error for a whole connection.
                    channel = transport.open_session(timeout=max(deadline - time.monotonic(), 0.1))
                except paramiko.ChannelException as error:
                    if not self._open:
                        raise NoSession(f"{self.host.name} opens no session: {error.text}") from error
                    self._limit = self._open
                except (paramiko.SSHException, EOFError, OSError) as error:
                    if time.monotonic() >= deadline:
                        raise NoSession(f"{self.host.name} does not answer") from error
                    if transport.is_active():
                        raise connect_error(self.host, error) from error
                    # It was lost before anything was asked of it: connect again.
                else:
                    self._open += 1
                    return channel

    def close_session(self, channel: paramiko.Channel) -> None:
        """Close a session, also when its connection was lost."""
        with suppress(EOFError, OSError, paramiko.SSHException):
            channel.close()
        with self._sessions:
            self._open -= 1
            self._sessions.notify()

    def transport(self) -> paramiko.Transport:
        """Return the transport, connected."""
        with self._connecting:
            transport = self._client.get_transport() if self._client else None
            if transport is None or not transport.is_active():
                self.close()
                self._client = self._connect()
                transport = self._client.get_transport()
            assert transport is not None
            return transport

    def is_active(self) -> bool:
        """Return whether it is connected and the host gave its last sign of life."""
        transport = self._client.get_transport() if self._client else None
        return transport is not None and transport.is_active()

    def close(self) -> None:
        """Close the connection; the next command makes it again."""
        client, self._client = self._client, None
        kept, self.kept = self.kept, {}
        for stream in [stream for pool in kept.values() for stream in pool]:
            stream.close()
        if client is not None:
            client.close()

    def _connect(self) -> paramiko.SSHClient:
        host = self.host
        key = read_key(host) if host.key else None
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(RefuseUnknownHost())
        try:
            stream = WatchedStream(self._open_socket())
            for file in host.known_hosts_files:
                with suppress(FileNotFoundError):  # then no host is known
                    client.load_system_host_keys(str(file))
            client.connect(
                host.address,
                host.port,
                host.user,
                sock=stream,  # type: ignore[arg-type]  # what paramiko calls of a socket, it has
                pkey=key,
                allow_agent=key is None,
                look_for_keys=key is None,
                timeout=CONNECT_WITHIN,
                banner_timeout=CONNECT_WITHIN,
                auth_timeout=CONNECT_WITHIN,
                channel_timeout=CONNECT_WITHIN,
            )
        except LabError:
            client.close()
            raise
        except (OSError, EOFError, ValueError, paramiko.SSHException) as error:
            client.close()
            raise connect_error(host, error) from error
        transport = client.get_transport()
        assert transport is not None
        report_exit_signals(transport)
        threading.Thread(target=keep_alive, args=(transport, stream), name=f"keep-alive {host.name}", daemon=True).start()
        return client

    def _open_socket(self) -> socket.socket | paramiko.Channel:
        """Return the stream to the host: a socket, or a channel through the jump host."""
        host = self.host
        if self.jump is None:
            return socket.create_connection((host.address, host.port), timeout=CONNECT_WITHIN)
        return self.jump.transport().open_channel("direct-tcpip", (host.address, host.port), ("127.0.0.1", 0), timeout=CONNECT_WITHIN)


def read_key(host: SshHost) -> paramiko.PKey:
    """Return the private key that a host names. UsageError when its file cannot be read, is no key, or is encrypted."""
    try:
        return paramiko.PKey.from_path(Path(host.key).expanduser())
    except OSError as error:
        raise key_error(host, error.strerror or str(error)) from error
    except TypeError as error:  # of cryptography, for a key with a passphrase
        raise key_error(host, "it is encrypted", f"ssh-add {host.key}, and name no key") from error
    except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise key_error(host, "the file holds no private key") from error


class WatchedStream:
    """The stream to a host, which notes when something last came from there."""

    def __init__(self, stream: socket.socket | paramiko.Channel) -> None:
        self._stream = stream
        self.received_at = time.monotonic()

    def recv(self, size: int) -> bytes:
        """Receive as a socket does."""
        received = self._stream.recv(size)
        self.received_at = time.monotonic()
        return received

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def keep_alive(transport: paramiko.Transport, stream: WatchedStream) -> None:
    """Ask for a sign of life every KEEP_ALIVE seconds until the connection ends; close it when nothing comes within SILENT_AFTER.

    Whatever comes is one: beside files that are copied to a slow host, the answer takes longer.
    """
    ended = threading.Event()

    def close_silent(answered: threading.Event) -> None:
        while (left := stream.received_at + SILENT_AFTER - time.monotonic()) > 0:
            if answered.wait(left):
                return
        transport.close()

    while not ended.wait(KEEP_ALIVE) and transport.is_active():
        answered = threading.Event()
        watchdog = threading.Thread(target=close_silent, args=(answered,), name="watchdog", daemon=True)
        watchdog.start()
        try:
            transport.global_request("keepalive@openssh.com", wait=True)  # a server refuses it, which is an answer
        except (OSError, EOFError, paramiko.SSHException):
            return
        finally:
            answered.set()


_connections: dict[tuple[int, SshHost], SshConnection] = {}
_connections_lock = threading.RLock()


def connection_to(host: SshHost) -> SshConnection:
    """Return this process' connection to a host: the same one for all callers and for hosts that are reached through it."""
    with _connections_lock:
        key = (os.getpid(), host)  # a forked child shares no connection with its parent
        if key not in _connections:
            _connections[key] = SshConnection(host, connection_to(host.jump) if host.jump else None)
        return _connections[key]


def disconnect(host: SshHost) -> None:
    """Close this process' connection to a host that is going away; without one, do nothing."""
    with _connections_lock:
        connection = _connections.pop((os.getpid(), host), None)
    if connection is not None:
        connection.close()
