"""The standard input and output of a command that keeps running on a machine, connected with a socket here."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import paramiko

from lab.machines.ssh.connection import SshConnection
from lab.machines.ssh.signals import read_status

STATUS_WITHIN = 5.0
"""Seconds between the end of a command's output and its exit status."""
LOST = (OSError, EOFError, paramiko.SSHException)


class SshStream:
    """A command on a session of its own; closing it closes the command's input."""

    def __init__(self, connection: SshConnection, channel: paramiko.Channel, read: bytes = b"") -> None:
        self.connection = connection
        self.channel = channel
        self.open = True
        self._read = read
        self._closing = threading.Lock()

    def read_line(self) -> bytes:
        """Return the next line that the command prints; what it printed when it has ended before."""
        while b"\n" not in self._read:
            try:
                chunk = self.channel.recv(1 << 16)
            except LOST:
                break
            if not chunk:
                break
            self._read += chunk
        line, newline, self._read = self._read.partition(b"\n")
        return line + newline

    def read_status(self) -> int | None:
        """Return how the command ended, once its output has; None when the connection was lost before that was known."""
        self.channel.status_event.wait(STATUS_WITHIN)
        return read_status(self.channel)

    def connect(self, peer: socket.socket) -> None:
        """Pass on between the command and a socket until one of them ends; then both are closed."""
        for name, target in (("to", self._send), ("from", self._receive)):
            threading.Thread(target=target, args=(peer,), name=f"{name} {self.connection.host.name}", daemon=True).start()

    def close(self) -> None:
        """End the session. Twice is fine."""
        with self._closing:
            if not self.open:
                return
            self.open = False
        self.connection.close_session(self.channel)

    def _send(self, peer: socket.socket) -> None:
        with suppress(*LOST):
            while chunk := peer.recv(1 << 16):
                self.channel.sendall(chunk)
        self.close()

    def _receive(self, peer: socket.socket) -> None:
        with suppress(*LOST):
            while chunk := self._read or self.channel.recv(1 << 16):
                self._read = b""
                peer.sendall(chunk)
        with peer, suppress(OSError):
            peer.shutdown(socket.SHUT_RDWR)  # or neither `_send`, which reads it, nor the other end would learn that it is closed
        self.close()
