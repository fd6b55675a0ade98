"""Drawing: what a person sees of a command. Status goes to stderr, data to stdout; nothing here decides anything.

On a terminal a live tree is drawn (`lab.terminal.live_tree`, the only user of rich); everywhere else one line a change. Who
looks is decided once, from the stream and the environment:

    NO_COLOR       no colour (https://no-color.org)
    FORCE_COLOR    colour although the output is not a terminal
    CI, TERM=dumb  lines, never a live tree
    GITHUB_ACTIONS lines inside ::group::, errors as ::error:: too
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from lab.count import count
from lab.errors import LabError
from lab.steps import StepFailed

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True)
class Look:
    """How to draw on one stream."""

    live: bool = False
    color: bool = False
    groups: bool = False

    @classmethod
    def of(cls, stream: TextIO, env: Mapping[str, str] = os.environ) -> Look:
        """Decide for a stream; see the top of this file."""
        terminal = stream.isatty() and env.get("TERM") != "dumb"
        groups = env.get("GITHUB_ACTIONS") == "true"
        color = not env.get("NO_COLOR") and (terminal or bool(env.get("FORCE_COLOR")))
        return cls(live=terminal and not groups and not env.get("CI"), color=color, groups=groups)

    def paint(self, text: str, *styles: str) -> str:
        """Return the text in that style, or as it is where colour is not wanted."""
        if not self.color or not text:
            return text
        return f"\033[{';'.join(CODES[style] for style in styles)}m{text}\033[0m"


def format_table(rows: Sequence[Sequence[str]], *, look: Look, styles: Mapping[str, tuple[str, ...]] | None = None) -> list[str]:
    """Return rows as aligned lines, the first one as a heading. `styles` paints cells that hold exactly that text."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = []
        for column, cell in enumerate(row):
            padding = " " * (widths[column] - len(cell)) if column < len(row) - 1 else ""
            style = ("bold",) if number == 0 else (styles or {}).get(cell, ())
            cells.append((look.paint(cell, *style) if style else cell) + padding)
        lines.append("  ".join(cells).rstrip())
    return lines


def seconds_text(seconds: float) -> str:
    """Return a duration as people say it: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min, 3 d 4 h."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def bytes_text(count: float) -> str:
    """Return a size as people say it: 41 MiB, 1.9 GiB."""
    if count >= 2**30:
        return f"{count / 2**30:.1f} GiB"
    return f"{count / 2**20:.0f} MiB" if count >= 2**20 or not count else f"{count / 2**10:.0f} KiB"


def say(text: str = "") -> None:
    """Print one line of status on stderr."""
    print(text, file=sys.stderr, flush=True)


def first_line(error: BaseException) -> str:
    """Return what an error says in one line."""
    text = error.what if isinstance(error, LabError) else str(error)
    return next(iter(text.splitlines()), "") or type(error).__name__


def error_lines(error: LabError, *, look: Look) -> list[str]:
    """Return an error as lines: what, where, its evidence, the remedy; of several steps that failed, each one so."""
    if isinstance(error, StepFailed):
        lines: list[str] = []
        for name, cause in error.failures.items():
            inner = (
                error_lines(cause, look=look) if isinstance(cause, LabError) else [look.paint(f"{type(cause).__name__}: {cause}", "red")]
            )
            lines += [f"{look.paint('✗', 'red')} {look.paint(name, 'bold')}: {inner[0]}", *inner[1:]]
        if error.not_started:
            shown = ", ".join(error.not_started[:6]) + (", …" if len(error.not_started) > 6 else "")
            lines.append(look.paint(f"  not started because of this: {count(len(error.not_started), 'step')} ({shown})", "dim"))
        return lines
    lines = [look.paint(error.what, "red")]
    if error.where:
        lines.append(f"  {look.paint('where:', 'bold')}  {error.where}")
    if error.detail:
        lines += [f"  {look.paint('|', 'dim')} {line}" for line in error.detail.rstrip().splitlines()]
    if error.remedy:
        lines.append(f"  {look.paint('remedy:', 'bold')} {error.remedy}")
    return lines


def github_annotation(error: LabError) -> str:
    """Return an error as GitHub's ::error:: command, which puts it on the summary of the job."""
    text = str(error).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error title=lab::{text}"
