"""`lab logs`: what the programs of a lab say."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path
from typing import IO, Annotated

import typer

from lab.cli import complete
from lab.cli.options import DEFAULT_LAB, LabName, option
from lab.errors import UsageError
from lab.run import Run
from lab.terminal.text import Look
from lab.wait import SYSTEM

Target = Annotated[
    str | None,
    typer.Argument(
        metavar="[CLUSTER[/COMPONENT]]",
        help="member1, or one program of it: member1/etcd; all if left out.",
        autocompletion=complete.complete_log_targets,
    ),
]
Follow = Annotated[bool, option("--follow", "-f", help="Go on with what is written from now on, until interrupted.")]
Tail = Annotated[int, option("--tail", "-n", help="Lines of each program from the end; 0 for all.", min=0)]


def logs(target: Target = None, lab: LabName = DEFAULT_LAB, follow: Follow = False, tail: Tail = 20) -> None:
    """Print the logs of a lab's programs.

    With several of them, each line begins with the program's name.
    """
    run = Run.load(lab)
    files = find_logs(run, target)
    look = Look.of(sys.stdout)
    followed: list[tuple[str, IO[str]]] = []
    for name, path in files.items():
        prefix = "" if len(files) == 1 else look.paint(f"{name:{max(map(len, files))}} ", "dim")
        stream: IO[str] = path.open(errors="replace")
        lines = stream if tail == 0 else deque(stream, maxlen=tail)
        for text in lines:
            print(f"{prefix}{text}", end="" if text.endswith("\n") else "\n")
        followed.append((prefix, stream))
    while follow:
        sys.stdout.flush()
        if not sum(print_appended(prefix, stream) for prefix, stream in followed):  # each of them is looked at
            SYSTEM.sleep(0.2)
    for _, stream in followed:
        stream.close()


def print_appended(prefix: str, stream: IO[str]) -> bool:
    """Print what was appended to a log; True when there was something. A log that was put aside and emptied is read from its beginning."""
    if Path(stream.name).stat().st_size < stream.tell():
        stream.seek(0)
    printed = False
    while line := stream.readline():
        printed = True
        print(f"{prefix}{line}", end="" if line.endswith("\n") else "\n")
    return printed


def find_logs(run: Run, target: str | None) -> dict[str, Path]:
    """Return the logs of a cluster, of one program, or all, by name. UsageError lists what there is."""
    root = run.path / "logs"
    known = {str(path.relative_to(root).with_suffix("")): path for path in sorted(root.rglob("*.log"))}
    found = {name: path for name, path in known.items() if target is None or name == target or name.startswith(f"{target}/")}
    if not found:
        raise UsageError(
            f"lab {run.id} has no log of {target or 'anything'}", where=str(root), remedy=f"one of: {', '.join(known) or 'none yet'}"
        )
    return found
