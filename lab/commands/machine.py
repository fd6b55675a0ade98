"""`lab machine`: list the machines of a lab, and take virtual ones back to a snapshot."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption
from lab.factories.vm.snapshots import delete_snapshot, list_snapshots, revert_snapshot, take_snapshot
from lab.machines.record import read_machines
from lab.run import Run
from lab.terminal.text import Look, format_table, say

app = typer.Typer(help="List machines of a lab; snapshot and revert virtual ones.", no_args_is_help=True, rich_markup_mode=None)
Name = Annotated[str, typer.Argument(metavar="MACHINE", help="Name of a virtual machine of the lab.")]
Snapshot = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="Name of the snapshot.")]


@app.command("list")
def list_(lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """List the machines of a lab and their snapshots."""
    run = Run.load(lab)
    machines = [
        {
            "name": name,
            "kind": record.kind,
            "login": f"{record.user}@{record.address}" if record.address else "",
            "snapshots": list_snapshots(run, name) if record.kind == "vm" else [],
        }
        for name, record in read_machines(run).items()
    ]
    if output is Output.json:
        print(json.dumps({"schema": 1, "lab": lab, "machines": machines}, indent=1))
    elif not machines:
        say(f"lab {lab} has no machines")
    else:
        rows = [("MACHINE", "KIND", "LOGIN", "SNAPSHOTS")]
        rows += [(str(each["name"]), str(each["kind"]), str(each["login"]), ", ".join(each["snapshots"])) for each in machines]
        print("\n".join(format_table(rows, look=Look.of(sys.stdout))))


@app.command()
def snapshot(machine: Name, snapshot: Snapshot, lab: LabName = DEFAULT_LAB) -> None:
    """Take a snapshot of a virtual machine, memory included."""
    take_snapshot(Run.load(lab), machine, snapshot)
    say(f"snapshot {snapshot} of machine {machine} taken")


@app.command()
def revert(machine: Name, snapshot: Snapshot, lab: LabName = DEFAULT_LAB) -> None:
    """Take a virtual machine back to a snapshot.

    What it did since is lost and connections to it end; its clock shows the present time.
    """
    revert_snapshot(Run.load(lab), machine, snapshot)
    say(f"machine {machine} is at snapshot {snapshot} again")


@app.command()
def forget(machine: Name, snapshot: Snapshot, lab: LabName = DEFAULT_LAB) -> None:
    """Delete a snapshot; the machine stays as it is."""
    delete_snapshot(Run.load(lab), machine, snapshot)
    say(f"snapshot {snapshot} of machine {machine} deleted")
