"""`lab replace`: a machine that was lost put back to work."""

from __future__ import annotations

from typing import Annotated

import typer

from deployers.commands.etcd import open_karmada
from deployers.day2.replace_machine import replace_machine
from lab.cli.options import DEFAULT_LAB, LabName
from lab.count import count
from lab.terminal.text import say

MachineName = Annotated[str, typer.Argument(metavar="MACHINE", help="Name of a machine in [karmada.by_binary] machines.")]


def replace(machine: MachineName, lab: LabName = DEFAULT_LAB) -> None:
    """Replace a lost machine that Karmada runs on.

    The machine is made again, or is there again empty; its programs start, and its member of etcd catches up.
    """
    programs = replace_machine(open_karmada(lab), machine)
    say(f"machine {machine} of lab {lab} runs {count(len(programs), 'program')} again")
