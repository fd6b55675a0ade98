"""Run a long command: show and keep its output, pass an interrupt on once, and wait for its end."""

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
from lab.assets.command import tie_to_parent
from lab.interrupt import Interrupted

GRACE_SECONDS = 180.0
"""Seconds that an interrupted command gets to save evidence and end."""


def run_command(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> int:
    """Run a command, write its output to stdout and to the log, and return its exit status. Pass an interrupt on and wait for the command.

    The command inherits the whole environment, with `env` laid over it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    child = subprocess.Popen(
        [*tie_to_parent(), *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**environment.inherit_all(), "PYTHONUNBUFFERED": "1", **(env or {})},
        start_new_session=True,  # Ctrl-C reaches it once, from us
    )
    assert child.stdout
    # Wait for the end of the command, not of its output: a daemon that it started may keep the output open.
    copying = threading.Thread(target=copy_output, args=(child.stdout, log), daemon=True)
    copying.start()
    try:
        status = child.wait()
    except Interrupted as stop:
        stop_command(child, stop.number)
        raise
    finally:
        copying.join(timeout=3.0)
    return 128 - status if status < 0 else status


def copy_output(source: IO[bytes], log: Path) -> None:
    """Copy output to stdout and to a log as it comes, unbuffered: a line of dots of pytest takes minutes to end."""
    with source, log.open("wb", buffering=0) as file:
        while came := os.read(source.fileno(), 1 << 16):
            sys.stdout.buffer.write(came)
            sys.stdout.buffer.flush()
            file.write(came)


def stop_command(child: subprocess.Popen[bytes], number: int) -> None:
    """Pass a signal on to a command, and kill its process group if it does not end within GRACE_SECONDS."""
    child.send_signal(number)
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
