"""The socket of a supervisor, from the asking side: a request is one JSON line, its answer another."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

from lab.errors import ProvisionError

Json = dict[str, Any]
ANSWER_WITHIN = 20.0
"""Seconds beyond what a request may take by itself after which a supervisor that does not answer is an error."""


def connect(run: Path) -> socket.socket | None:
    """Return a connection to the supervisor of a run directory; None when there is none."""
    try:
        folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.connect(f"/proc/self/fd/{folder}/supervisor.sock")  # the path itself may be too long for an address
    except (FileNotFoundError, ConnectionRefusedError):
        peer.close()
        return None
    except OSError as error:
        peer.close()
        raise ProvisionError(f"the supervisor cannot be reached: {error.strerror or error}", where=str(run)) from error
    finally:
        os.close(folder)
    return peer


class SupervisorGone(ProvisionError):
    """The supervisor ended before it answered; with it all programs of its run."""


def exchange(peer: socket.socket, request: Json, *, within: float) -> Json:
    """Send one request and return its answer. SupervisorGone when the other end closes, ProvisionError when it keeps silent."""
    try:
        peer.settimeout(within)
        peer.sendall(json.dumps(request).encode() + b"\n")
        received = bytearray()
        while not received.endswith(b"\n"):
            chunk = peer.recv(1 << 16)
            if not chunk:
                raise SupervisorGone("the lab's supervisor has ended", remedy="lab down, then lab up")
            received += chunk
    except TimeoutError as error:
        raise ProvisionError(f"the lab's supervisor did not answer {request['op']} within {within:g} s", remedy="lab down") from error
    except OSError as error:
        raise SupervisorGone(f"the lab's supervisor has ended: {error.strerror}", remedy="lab down, then lab up") from error
    answer: Json = json.loads(received)
    return answer
