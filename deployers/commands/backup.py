"""`lab backup`: a control plane as one file, now or again and again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployers.commands.etcd import open_karmada
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, duration, option
from lab.errors import LabError
from lab.terminal.drawing import open_drawing
from lab.terminal.text import bytes_text, say, seconds_text

if TYPE_CHECKING:
    from deployers.backup.take import Backup

Folder = Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Where backups are kept: a directory, or a share that is mounted there.")]
Keep = Annotated[int | None, option("--keep", help="Delete this plane's oldest backups there: so many stay.", metavar="N", min=1)]
Every = Annotated[float | None, duration("--every", help="Take one now and then one each 30m, 6h, 1d …, until interrupted.", zero=False)]


def backup(folder: Folder, lab: LabName = DEFAULT_LAB, keep: Keep = None, every: Every = None, output: OutputOption = Output.text) -> None:
    """Back Karmada up into a directory.

    One archive (mode 0600): etcd's data, authorities, service-account keys, versions, checksums. Karmada serves meanwhile, and the
    archive is proven before it counts. Keep it as safe as the keys in it.
    """
    from deployers.backup.take import back_up, back_up_on_schedule

    karmada = open_karmada(lab)

    def take() -> Backup:
        with open_drawing(f"backup of lab {lab}") as screen:
            return back_up(karmada, folder.absolute(), keep=keep, watcher=screen.watcher)

    def told(result: Backup | LabError) -> None:
        if isinstance(result, LabError):
            say(f"no backup: {result}")
        else:
            show(result, output)

    if every is None:
        show(take(), output)
    else:
        back_up_on_schedule(take, every=every, told=told)


def document(result: Backup) -> dict[str, Any]:
    """Return one backup as `-o json` prints it."""
    return {
        "schema": 1,
        "path": str(result.path),
        "size": result.size,
        "seconds": round(result.seconds, 3),
        "revision": result.manifest.revision,
        "taken": result.manifest.taken,
        "versions": dict(result.manifest.versions),
        "dropped": [str(path) for path in result.dropped],
    }


def show(result: Backup, output: Output) -> None:
    """Print one backup."""
    if output is Output.json:
        print(json.dumps(document(result)), flush=True)
        return
    print(result.path, flush=True)
    more = f"; {len(result.dropped)} older deleted" if result.dropped else ""
    say(f"{bytes_text(result.size)} at revision {result.manifest.revision}, proven, after {seconds_text(result.seconds)}{more}")
