"""Connect standard input and output with the socket of a supervisor, on the machine where that runs.

Prints the line `connected` first; ends with status 3 and prints nothing when there is no supervisor.
"""

from __future__ import annotations

import os
import select
import socket
import sys

NO_SUPERVISOR = 3
CONNECTED = b"connected\n"


def relay(run: str) -> int:
    """Pass on what either side sends until one of them ends; return the exit status."""
    try:
        folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.connect(f"/proc/self/fd/{folder}/supervisor.sock")
    except (FileNotFoundError, ConnectionRefusedError):
        return NO_SUPERVISOR
    write_all(1, CONNECTED)
    poll = select.poll()
    for fd in (0, peer.fileno()):
        poll.register(fd, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            chunk = os.read(fd, 1 << 16)
            if not chunk:
                return 0
            write_all(peer.fileno() if fd == 0 else 1, chunk)


def write_all(fd: int, content: bytes) -> None:
    """Write all of it."""
    while content:
        content = content[os.write(fd, content) :]


if __name__ == "__main__":
    sys.exit(relay(sys.argv[1]))
