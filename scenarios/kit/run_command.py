"""One door to a long command: what it prints is seen and kept, and an interrupt reaches it once and is waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from lab import environment
from lab.assets.command import tied
from lab.interrupt import Interrupted

LAST_WORDS = 180.0
"""Seconds that an interrupted command has to save evidence and end by itself."""


def run_command(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> int:
    """Run a command to its end; what it prints goes to our output and to the log. When we are interrupted it is told so and waited for.

    It is a command of this project, or what a user would type, and has all of our environment, with `env` laid over it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    child = subprocess.Popen(
        [*tied(), *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**environment.inherit_all(), "PYTHONUNBUFFERED": "1", **(env or {})},
        start_new_session=True,  # Ctrl-C reaches it once, from us
    )
    assert child.stdout
    # A daemon that it leaves behind may hold its output open: its end is what we wait for, not the output's.
    copying = threading.Thread(target=copy, args=(child.stdout, log), daemon=True)
    copying.start()
    try:
        status = child.wait()
    except Interrupted as stop:
        end(child, stop.number)
        raise
    finally:
        copying.join(timeout=3.0)
    return 128 - status if status < 0 else status


def copy(source: IO[bytes], log: Path) -> None:
    """Copy what comes to our output and to a log until there is no more; at once, since pytest's line of dots takes minutes to end."""
    with source, log.open("wb", buffering=0) as file:
        while came := os.read(source.fileno(), 1 << 16):
            sys.stdout.buffer.write(came)
            sys.stdout.buffer.flush()
            file.write(came)


def end(child: subprocess.Popen[bytes], number: int) -> None:
    """Tell a command to end, and kill it when it does not in good time."""
    child.send_signal(number)
    try:
        child.wait(LAST_WORDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
