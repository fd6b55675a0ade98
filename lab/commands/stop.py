"""`lab stop`: programs of a lab ended until they are started again."""

from __future__ import annotations

from typing import Annotated

import typer

from lab.cli import complete
from lab.cli.options import DEFAULT_LAB, LabName
from lab.component import find_owner
from lab.count import count
from lab.errors import UsageError
from lab.hints import command
from lab.programs import read_programs
from lab.run import Run
from lab.terminal.text import say

What = Annotated[
    str, typer.Argument(metavar="CLUSTER[/COMPONENT]", help="karmada, member1, or a program.", autocompletion=complete.complete_log_targets)
]


def stop(what: What, lab: LabName = DEFAULT_LAB) -> None:
    """Stop a cluster, Karmada, or one program.

    Its data stays; `lab up` starts it again.
    """
    run = Run.load(lab)
    found = read_programs(run)
    programs = found.states
    chosen = [name for name in programs if name == what or name.startswith(f"{what}/")]
    if not chosen:
        known = ", ".join(sorted({name.partition("/")[0] for name in programs})) or "nothing runs"
        raise UsageError(f"lab {lab} has no {what!r}", remedy=f"one of: {known}, or one program of it, as karmada/etcd")
    running = [name for name in chosen if programs[name].runs]
    for name in sorted(running, key=lambda name: ("apiserver" in name, "etcd" in name)):  # those that others need last
        find_owner(run, found.places[name]).stop(name, within=2.0)
    run.forget("up", "arguments")
    say(f"{count(len(running), 'program')} stopped; {command('up', lab=lab)} starts {'it' if len(running) == 1 else 'them'} again")
