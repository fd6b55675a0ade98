"""`lab fork`: a new lab with the content of another one."""

from __future__ import annotations

import os
import time
from typing import Annotated

import typer

from deployers.commands.tools import clients
from deployers.commands.up import finish
from deployers.day2.snapshots.fork import fork_lab, require_new
from deployers.day2.snapshots.save import save_snapshot
from deployers.day2.snapshots.snapshot import delete_snapshot, open_snapshot
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, option
from lab.run import Run
from lab.status.lab_status import lab_status
from lab.terminal.drawing import open_drawing

New = Annotated[str, typer.Argument(metavar="NEW", help="Name of the new lab.")]
From = Annotated[str | None, option("--from", help="Take the content of this snapshot, instead of that of --lab.", metavar="SNAPSHOT")]


def fork(new: New, lab: LabName = DEFAULT_LAB, snapshot: From = None, output: OutputOption = Output.text) -> None:
    """Make a new lab with the content of another lab.

    The new lab has the same clusters, objects and keys, and ports of its own: administrators of one are administrators of the other. The
    lab that is forked keeps serving, or stays stopped.
    """
    began = time.monotonic()
    require_new(new)
    with open_drawing(f"lab {new}") as screen:
        name = snapshot or f"fork-{os.getpid()}"
        source = open_snapshot(snapshot) if snapshot else save_snapshot(Run.load(lab), name, watcher=screen.watcher)
        try:
            brought = fork_lab(source, new, watcher=screen.watcher)
        finally:
            if snapshot is None:
                delete_snapshot(name)
    brought.hold.release(keep=True)
    clients(brought.lab.run)
    finish(lab_status(brought.lab.run), seconds=time.monotonic() - began, changed=True, output=output)
