"""`lab snapshot`: snapshots of whole labs."""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated, Any

import typer

from deployers.day2.snapshots.restore import restore_snapshot
from deployers.day2.snapshots.save import save_snapshot
from deployers.day2.snapshots.snapshot import delete_snapshot, list_names, open_snapshot
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption
from lab.errors import LabError
from lab.hints import command
from lab.run import Run
from lab.terminal.drawing import open_drawing
from lab.terminal.text import Look, bytes_text, format_table, say, seconds_text

app = typer.Typer(help="Save, restore, list and delete snapshots of whole labs.", no_args_is_help=True, rich_markup_mode=None)
Name = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="Name of the snapshot.")]


@app.command()
def save(name: Name, lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """Save the content of a lab at one moment.

    It has data, keys and records of all its clusters and of Karmada. The lab keeps serving; while its data is copied it is paused for
    some tenths of a second. The snapshot outlives the lab. It holds private keys: protect it like them.
    """
    began = time.monotonic()
    with open_drawing(f"snapshot of lab {lab}") as screen:
        made = save_snapshot(Run.load(lab), name, watcher=screen.watcher)
    if output is Output.json:
        print(json.dumps(made.document() | {"size": made.size}, indent=1))
        return
    print(f"snapshot {name} of lab {lab} saved ({bytes_text(made.size)}, {seconds_text(time.monotonic() - began)})")
    say(f"the lab was paused for {seconds_text(made.frozen)}")
    say(f"next: {command('snapshot', 'restore', name, lab=lab)}, or {command('fork', 'NEW', '--from', name)}")


@app.command()
def restore(name: Name, lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """Take a lab back to a snapshot of it, in place.

    What happened since is lost. For a snapshot of another lab, use lab fork.
    """
    with open_drawing(f"restore of lab {lab}") as screen:
        done = restore_snapshot(Run.load(lab), open_snapshot(name), watcher=screen.watcher)
    done.brought.hold.release(keep=True)
    if output is Output.json:
        print(json.dumps({"schema": 1, "lab": lab, "snapshot": name, "seconds": round(done.seconds, 3)}, indent=1))
    else:
        print(f"lab {lab} is as it was in snapshot {name} ({seconds_text(done.seconds)})")


@app.command("list")
def list_(output: OutputOption = Output.text) -> None:
    """List snapshots: of which lab each is, how old and how large."""
    rows = [("SNAPSHOT", "LAB", "CREATED", "SIZE", "CLUSTERS")]
    documents: list[dict[str, Any]] = []
    for name in list_names():
        try:
            seen = open_snapshot(name)
        except LabError as error:
            rows.append((name, "", "", "", str(error.what)))
            documents.append({"name": name, "problem": error.what})
            continue
        created = time.strftime("%Y-%m-%d %H:%M", time.localtime(seen.created))
        rows.append((name, seen.lab, created, bytes_text(seen.size), ", ".join(seen.stores)))
        documents.append({**seen.document(), "size": seen.size})
    if output is Output.json:
        print(json.dumps({"schema": 1, "snapshots": documents}, indent=1))
    elif not documents:
        say(f"no snapshot exists; {command('snapshot', 'save', 'NAME')} saves one")
    else:
        print("\n".join(format_table(rows, look=Look.of(sys.stdout))))


@app.command()
def delete(name: Name) -> None:
    """Delete a snapshot."""
    delete_snapshot(name)
    say(f"snapshot {name} deleted")
