"""What every command line of this project does alike: errors are printed once, here, and become exit codes.

Exit codes: 0 ok, 1 a check failed, 2 usage, 3 not possible here, 4 provisioning failed, 7 something was left behind,
130/143 interrupted; 70 is a bug of this program.
"""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from lab import interrupt
from lab.errors import LabError
from lab.terminal.text import Look, error_lines, github_annotation, say

BUG = 70
"""Exit code of an error that is nobody's but ours (sysexits.h: EX_SOFTWARE)."""


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
            if type(error).__module__.startswith(("typer.", "click.")):  # wrong words: typer says what is wrong with them
                raise
            import traceback  # noqa: PLC0415 (only a bug needs it)

            traceback.print_exc()

            say("this is a bug of karmada-lab, not of what you typed; please report it with the lines above")
            raise typer.Exit(BUG) from None


def print_error(error: LabError) -> None:
    """Print an error once, on stderr."""
    look = Look.of(sys.stderr)
    for line in error_lines(error, look=look):
        say(line)
    print_notes(error)
    if look.groups:
        say(github_annotation(error))


def print_interrupt(stop: interrupt.Interrupted) -> None:
    """Print what ended the command."""
    say(f"interrupted by {stop}")
    print_notes(stop)


def print_notes(error: BaseException) -> None:
    """Print what was noted on an error while it passed: where its evidence is, what to do with what is left."""
    for note in getattr(error, "__notes__", []):
        say(note)
