"""`lab durations`: learn from results how long cells take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.count import count
from lab.terminal.text import say
from scenarios.matrix.durations import FILE, Durations, read_durations


def durations(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="With results of cells below them.")],
    out: Annotated[
        Path,
        typer.Option("--out", help="Where they are kept.", metavar="FILE", show_default="scenarios/durations.json", dir_okay=False),
    ] = FILE,
) -> None:
    """Learn from results how long cells take.

    Shards and timeouts are made of scenarios/durations.json, which this adds to.
    """
    found = read_durations(folders)
    Durations.load().learnt(found).save(out)
    say(f"{count(len(found), 'measurement')} of {len({name for name, _ in found})} cells; kept in {out}")
