"""`lab logs`: print or follow the logs of a lab's programs."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Collection
from pathlib import Path
from typing import IO, Annotated

import typer

from lab.cli import complete
from lab.cli.options import DEFAULT_LAB, LabName, option
from lab.errors import LabError, UsageError
from lab.machines.registry import open_machine, open_owner
from lab.run import Run
from lab.terminal.text import Look, say
from lab.wait import SYSTEM

WITHIN = 15.0
"""Seconds for the log of one program on a machine."""
Target = Annotated[
    str | None,
    typer.Argument(
        metavar="[CLUSTER[/COMPONENT]]",
        help="member1, or one program of it: member1/etcd; all if left out.",
        autocompletion=complete.complete_log_targets,
    ),
]
Follow = Annotated[bool, option("--follow", "-f", help="Follow the logs until interrupted.")]
Tail = Annotated[int, option("--tail", "-n", help="Lines of each program from the end; 0 for all.", min=0)]


def logs(target: Target = None, lab: LabName = DEFAULT_LAB, follow: Follow = False, tail: Tail = 20) -> None:
    """Print the logs of a lab's programs.

    With several of them, each line begins with the program's name.
    """
    run = Run.load(lab)
    remote = find_machine_programs(run, target)
    files = find_logs(run, target, elsewhere=remote)
    look = Look.of(sys.stdout)
    names = [*files, *remote]
    prefixes = {name: "" if len(names) == 1 else look.paint(f"{name:{max(map(len, names))}} ", "dim") for name in names}
    for name, machine in remote.items():
        print_machine_log(run, name, machine, tail=tail, prefix=prefixes[name])
    if follow and remote:
        say(f"cannot follow logs on other machines: {', '.join(remote)}")
    followed: list[tuple[str, IO[str]]] = []
    for name, path in files.items():
        prefix = prefixes[name]
        stream: IO[str] = path.open(errors="replace")
        lines = stream if tail == 0 else deque(stream, maxlen=tail)
        for text in lines:
            print(f"{prefix}{text}", end="" if text.endswith("\n") else "\n")
        followed.append((prefix, stream))
    while follow and followed:
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


def print_machine_log(run: Run, name: str, machine: str, *, tail: int, prefix: str) -> None:
    """Print the end of the log of a program on a machine; one that cannot be read is an error message on stderr."""
    try:
        log = open_owner(run, machine).run / "logs" / f"{name}.log"
        last = str(tail) if tail else "+1"
        text = open_machine(run, machine).run(["tail", "--lines", last, "--", str(log)], within=WITHIN).stdout
    except LabError as error:
        say(f"reading the log of {name} on {machine} failed: {error.what}")
        return
    for line in text.splitlines():
        print(f"{prefix}{line}")


def find_machine_programs(run: Run, target: str | None) -> dict[str, str]:
    """Return the programs of a cluster, one program, or all, that run on machines, with the machine of each."""
    rows = sorted(run.records("health").values(), key=lambda row: str(row["name"]))
    return {row["name"]: row["machine"] for row in rows if row.get("machine") and is_target(row["name"], target)}


def is_target(name: str, target: str | None) -> bool:
    """Return whether a program is the one that is asked for, or of the cluster that is."""
    return target is None or name == target or name.startswith(f"{target}/")


def find_logs(run: Run, target: str | None, *, elsewhere: Collection[str] = ()) -> dict[str, Path]:
    """Return the logs of a cluster, of one program, or all, by name. UsageError lists what there is, unless some are `elsewhere`."""
    root = run.path / "logs"
    known = {str(path.relative_to(root).with_suffix("")): path for path in sorted(root.rglob("*.log"))}
    found = {name: path for name, path in known.items() if is_target(name, target)}
    if not found and not elsewhere:
        known_names = ", ".join([*known, *find_machine_programs(run, None)])
        raise UsageError(
            f"lab {run.id} has no log of {target or 'anything'}", where=str(root), remedy=f"one of: {known_names or 'none yet'}"
        )
    return found
