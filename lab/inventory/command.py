"""Commands that print an inventory."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab import environment
from lab.errors import UsageError
from lab.exec_plugin import find_command
from lab.inventory.errors import make_error

WITHIN = 60.0
"""Seconds that a command may take."""


def run_inventory_command(argv: Sequence[str], folder: Path) -> bytes:
    """Return what a command prints, run in `folder` without a shell. UsageError when it fails or takes longer than WITHIN.

    A relative path of the program is relative to `folder`; a bare name is looked up in PATH. What it says on standard error is no part of
    the inventory.
    """
    program = find_command(argv[0], folder)
    command = [program, *argv[1:]]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment.inherit_inventory(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise fail(argv, f"did not end within {WITHIN:g} s") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in an argument
        raise fail(argv, f"cannot be started: {getattr(error, 'strerror', None) or error}: {program}") from error
    if done.returncode:
        raise fail(argv, f"ended with status {done.returncode}", (done.stderr or done.stdout).decode(errors="replace"))
    return done.stdout


def fail(argv: Sequence[str], why: str, output: str = "") -> UsageError:
    """Return the error of a command that printed no inventory."""
    return make_error(f"inventory_command {why}", shlex.join(argv), detail=output)
