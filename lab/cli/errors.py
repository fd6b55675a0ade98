"""Errors of the command line: printed once, here, and turned into exit codes.

Exit codes: 0 ok, 1 a check failed, 2 usage, 3 not possible here, 4 provisioning failed, 7 something was left behind,
130/143 interrupted; 70 is a bug of this program.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

from lab import interrupt
from lab.errors import LabError, ProvisionError
from lab.hints import command, program
from lab.terminal.text import Look, error_lines, github_annotation, say

BUG = 70
"""Exit code of a bug in this program (sysexits.h: EX_SOFTWARE)."""
EXHAUSTED: Mapping[int, str] = {
    errno.EMFILE: "raise the limit of open files: ulimit -n 4096; then run this again",
    errno.ENFILE: "raise fs.file-max, or end other programs; then run this again",
    errno.ENOSPC: "free some space there, or set KARMADA_LAB_RUNS and KARMADA_LAB_CACHE to another disk",
    errno.EDQUOT: "free some space there, or set KARMADA_LAB_RUNS and KARMADA_LAB_CACHE to another disk",
    errno.EROFS: "set KARMADA_LAB_RUNS and KARMADA_LAB_CACHE to directories that can be written",
    errno.EIO: "look at the kernel's log (dmesg); use another disk",
    errno.ENOMEM: "free some memory, raise the memory limit, or take fewer members (--members N)",
    errno.EAGAIN: "raise the limit of processes and threads (ulimit -u, the container's --pids-limit)",
}
"""Limits of the computer that a system call may reach, each with its remedy. Errors keep the system's text: reports classify by it."""


class Verbs(TyperGroup):
    """The one place that prints errors and turns them into exit codes."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except LabError as error:
            print_error(error)
            raise typer.Exit(error.exit_code) from None
        except interrupt.Interrupted as stop:
            print_interrupt(stop)
            raise typer.Exit(stop.exit_code) from None
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if type(error).__module__.startswith(("typer.", "click.")):  # a usage error, which typer prints
                raise
            if limit := exhausted_limit(error):
                print_error(limit)
                raise typer.Exit(limit.exit_code) from None
            traceback.print_exc()

            say("this is a bug in karmada-lab; please report it with the lines above")
            raise typer.Exit(BUG) from None


def exhausted_limit(error: BaseException) -> ProvisionError | None:
    """Return the error of a limit of this computer that was reached (open files, disk, threads, memory), or None for any other error."""
    if isinstance(error, MemoryError):
        number: int | None = errno.ENOMEM
    elif isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        number = errno.EAGAIN
    else:
        number = error.errno if isinstance(error, OSError) else None
    if number is None or number not in EXHAUSTED:
        return None
    why = str(error) if isinstance(error, RuntimeError) else os.strerror(number)
    file = getattr(error, "filename", None)
    failed = ProvisionError(
        f"{program()} failed: {why}",
        where=None if file is None else os.fsdecode(file) if isinstance(file, str | bytes) else str(file),
        remedy=f"{EXHAUSTED[number]}; {command('doctor')} lists the limits",
    )
    for note in getattr(error, "__notes__", []):
        failed.add_note(note)
    return failed


def print_error(error: LabError) -> None:
    """Print an error once, on stderr."""
    look = Look.of(sys.stderr)
    for line in error_lines(error, look=look):
        say(line)
    print_notes(error)
    if look.groups:
        say(github_annotation(error))


def print_interrupt(stop: interrupt.Interrupted) -> None:
    """Print the signal that ended the command."""
    say(f"interrupted by {stop}")
    print_notes(stop)


def print_notes(error: BaseException) -> None:
    """Print the notes of an error: where its evidence is, how to clean up."""
    for note in getattr(error, "__notes__", []):
        say(note)
