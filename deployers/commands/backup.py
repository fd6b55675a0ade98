"""`lab backup`: back up a control plane into one file, once or on a schedule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from deployers.backup.schedule import CronSchedule, back_up_by_schedule
from deployers.backup.take import Backup, back_up, back_up_on_schedule, find_last
from deployers.commands.etcd import open_karmada
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, duration, option
from lab.errors import LabError, UsageError
from lab.terminal.drawing import open_drawing
from lab.terminal.text import bytes_text, say, seconds_text

Folder = Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Directory for backups, for example a mounted share.")]
Keep = Annotated[int | None, option("--keep", help="Keep the newest N backups of this plane; delete older ones.", metavar="N", min=1)]
Every = Annotated[float | None, duration("--every", help="Take a backup now and then every 30m, 6h, 1d …, until interrupted.", zero=False)]
Cron = Annotated[
    str | None, option("--schedule", help="Take backups by a cron expression of five fields, until interrupted.", metavar="CRON")
]
Zone = Annotated[str, option("--time-zone", help="Time zone of --schedule, for example Europe/Berlin.", metavar="ZONE")]


def backup(
    folder: Folder,
    lab: LabName = DEFAULT_LAB,
    keep: Keep = None,
    every: Every = None,
    schedule: Cron = None,
    time_zone: Zone = "UTC",
    output: OutputOption = Output.text,
) -> None:
    """Back up Karmada into a directory.

    Writes one archive (mode 0600): etcd's data, CAs, service-account keys, versions, checksums. Karmada keeps serving. The archive is
    verified before older ones are deleted. It holds private keys: protect it like them.

    With --schedule, backups that were due while this command did not run are made up for by one at once.
    """
    if every is not None and schedule is not None:
        raise UsageError("--every and --schedule exclude each other", remedy="give one of them")
    cron = CronSchedule.parse(schedule, time_zone) if schedule is not None else None
    karmada = open_karmada(lab)

    def take() -> Backup:
        with open_drawing(f"backup of lab {lab}") as screen:
            return back_up(karmada, folder.absolute(), keep=keep, watcher=screen.watcher)

    def report(result: Backup | LabError) -> None:
        if isinstance(result, LabError):
            say(f"backup failed: {result}")
        else:
            show(result, output)

    if cron is not None:
        back_up_by_schedule(take, cron, last=find_last(karmada, folder.absolute()), report=report)
    elif every is None:
        show(take(), output)
    else:
        back_up_on_schedule(take, every=every, report=report)


def document(result: Backup) -> dict[str, Any]:
    """Return a backup as `-o json` prints it."""
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
    say(f"{bytes_text(result.size)} at revision {result.manifest.revision}, verified, after {seconds_text(result.seconds)}{more}")
