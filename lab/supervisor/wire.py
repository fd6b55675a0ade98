"""The socket of a supervisor, from the asking side: a request is one JSON line, its answer another."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from lab import proc
from lab.errors import ProvisionError
from lab.hints import command

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


def send_request(peer: socket.socket, request: Json, *, within: float, run: Path) -> Json:
    """Send one request to the supervisor of a run and return its answer.

    SupervisorGone when the other end closes; ProvisionError when it keeps silent, and as soon as it is seen to be paused.
    """
    deadline = time.monotonic() + within
    looked = 0
    try:
        peer.settimeout(LOOK_EVERY)
        peer.sendall(json.dumps(request).encode() + b"\n")
        received = bytearray()
        while not received.endswith(b"\n"):
            try:
                chunk = peer.recv(1 << 16)
            except TimeoutError:
                looked = looked + 1 if proc.is_paused(proc.read_peer_pid(peer)) else 0
                if looked >= LOOKS or time.monotonic() >= deadline:
                    raise
                continue
            if not chunk:
                raise supervisor_gone_error(run)
            received += chunk
    except TimeoutError as error:
        raise no_answer_error(run, proc.read_peer_pid(peer), request["op"], within) from error
    except OSError as error:
        raise supervisor_gone_error(run, error.strerror) from error
    answer: Json = json.loads(received)
    return answer


LOOK_EVERY, LOOKS = 0.7, 3
"""Seconds between two looks at a supervisor that is silent, and how often it must have been paused in a row to be given up."""


def supervisor_gone_error(run: Path, why: str | None = None) -> SupervisorGone:
    """Return the error of a supervisor that has ended."""
    return SupervisorGone(
        f"the supervisor of lab {run.name} has ended" + (f": {why}" if why else ""),
        where=str(run),
        remedy=f"{command('down', lab=run.name)}, then {command('up', lab=run.name)}",
    )


def no_answer_error(run: Path, pid: int, request: str, within: float) -> ProvisionError:
    """Return the error of a supervisor that does not answer: whether it is paused, and what to do."""
    down = command("down", lab=run.name)
    if proc.is_paused(pid):
        return ProvisionError(
            f"the supervisor of lab {run.name} is paused (pid {pid})", where=str(run), remedy=f"kill -CONT {pid}, or {down}"
        )
    return ProvisionError(f"the supervisor of lab {run.name} did not answer {request} within {within:g} s", where=str(run), remedy=down)
