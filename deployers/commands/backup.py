"""`lab backup`: back up a control plane, once or on a schedule; list and show its backups."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from deployers.backup.destinations.open import open_destination, require_destination
from deployers.backup.destinations.protocol import Destination
from deployers.backup.encryption import Recipients
from deployers.backup.schedule import CronSchedule, back_up_by_schedule
from deployers.backup.take import Backup, back_up, back_up_on_schedule, find_last
from deployers.commands.backups import get, keygen, list_backups, show_archive
from deployers.commands.etcd import open_karmada
from deployers.karmada import Karmada
from lab.cli.app import STYLE
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, duration, option, take_options
from lab.errors import LabError, UsageError
from lab.terminal.drawing import open_drawing
from lab.terminal.text import bytes_text, say, seconds_text

app = typer.Typer(add_completion=False, **{**STYLE, "no_args_is_help": False})
app.command("list")(list_backups)
app.command("show")(show_archive)
app.command("get")(get)
app.command("keygen")(keygen)
To = Annotated[
    str | None, option("--to", help="Destination: a directory, s3://bucket/prefix, or pvc://namespace/claim/path.", metavar="DESTINATION")
]
Keep = Annotated[int | None, option("--keep", help="Keep the newest N backups of this plane; delete older ones.", metavar="N", min=1)]
Every = Annotated[float | None, duration("--every", help="Take a backup now and then every 30m, 6h, 1d …, until interrupted.", zero=False)]
Cron = Annotated[
    str | None, option("--schedule", help="Take backups by a cron expression of five fields, until interrupted.", metavar="CRON")
]
Zone = Annotated[str, option("--time-zone", help="Time zone of --schedule, for example Europe/Berlin.", metavar="ZONE")]
EncryptTo = Annotated[
    list[str] | None,
    option("--encrypt-to", help="Encrypt to this public key of age or OpenSSH, or a file of them.", metavar="RECIPIENT|FILE"),
]


@dataclass(frozen=True, kw_only=True)
class BackupOptions:
    """The options of `lab backup`."""

    context: typer.Context
    to: To = None
    lab: LabName = DEFAULT_LAB
    keep: Keep = None
    every: Every = None
    schedule: Cron = None
    time_zone: Zone = "UTC"
    encrypt_to: EncryptTo = None
    output: OutputOption = Output.text


@app.callback(invoke_without_command=True)
@take_options(BackupOptions)
def backup(given: BackupOptions) -> None:
    """Back up Karmada; list and show its backups.

    Stores one archive: etcd's data, CAs, service-account keys, versions, checksums. Karmada keeps serving. The archive is verified and
    read back before older ones are deleted. It holds private keys: protect it like them, or encrypt it by --encrypt-to.

    With --schedule, backups that were due while this command did not run are made up for by one at once.

    S3 takes its settings from the URL (s3://bucket/prefix?endpoint=https://…&region=…&path-style=true&ca=FILE) or AWS_ENDPOINT_URL,
    AWS_REGION and AWS_CA_BUNDLE, its credentials from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or ~/.aws/credentials.
    """
    context = given.context
    if context.invoked_subcommand is not None:
        sources = [context.get_parameter_source(name) for name in context.params]
        if any(source is not None and source.name == "COMMANDLINE" for source in sources):
            raise UsageError(f"an option precedes the command {context.invoked_subcommand}", remedy="write options after the command")
        return
    if given.to is None:
        raise UsageError("no destination is given", remedy="--to with a directory, s3://bucket/prefix or pvc://namespace/claim/path")
    if given.every is not None and given.schedule is not None:
        raise UsageError("--every and --schedule exclude each other", remedy="give one of them")
    require_destination(given.to)
    cron = CronSchedule.parse(given.schedule, given.time_zone) if given.schedule is not None else None
    recipients = Recipients.parse(given.encrypt_to) if given.encrypt_to else None
    BackupRequest(open_karmada(given.lab), given.to, given.keep, recipients, given.output).run(cron, given.every)


@dataclass(frozen=True)
class BackupRequest:
    """What `lab backup` was asked for: which lab, which destination, how many stay, who can read it, how it is printed."""

    karmada: Karmada
    to: str
    keep: int | None
    encrypt_to: Recipients | None
    output: Output

    def run(self, cron: CronSchedule | None, every: float | None) -> None:
        """Take one backup, or backups on a schedule until interrupted."""
        if cron is not None:
            back_up_by_schedule(self.take, cron, last=self.find_last(), report=self.report)
        elif every is None:
            show(self.take(), self.output)
        else:
            back_up_on_schedule(self.take, every=every, report=self.report)

    def take(self) -> Backup:
        """Take one backup."""
        with open_drawing(f"backup of lab {self.karmada.run.id}") as screen, self.destination() as destination:
            return back_up(self.karmada, destination, keep=self.keep, encrypt_to=self.encrypt_to, watcher=screen.watcher)

    def destination(self) -> AbstractContextManager[Destination]:
        """Open the destination."""
        return open_destination(self.to, lambda: self.karmada)

    def report(self, result: Backup | LabError) -> None:
        """Print one result of a schedule."""
        if isinstance(result, LabError):
            say(f"backup failed: {result}")
        else:
            show(result, self.output)

    def find_last(self) -> dt.datetime | None:
        """Return when the newest backup was taken. A destination that is away does not end a schedule; a wrong one does (UsageError)."""
        try:
            with self.destination() as destination:
                return find_last(self.karmada, destination)
        except UsageError:
            raise
        except LabError as error:
            say(f"whether a backup was missed is unknown: {error}")
            return None


def document(result: Backup) -> dict[str, Any]:
    """Return a backup as `-o json` prints it."""
    return {
        "schema": 1,
        "path": result.location,
        "size": result.size,
        "seconds": round(result.seconds, 3),
        "revision": result.manifest.revision,
        "taken": result.manifest.taken,
        "versions": dict(result.manifest.versions),
        "dropped": list(result.dropped),
    }


def show(result: Backup, output: Output) -> None:
    """Print one backup."""
    if output is Output.json:
        print(json.dumps(document(result)), flush=True)
        return
    print(result.location, flush=True)
    more = f"; {len(result.dropped)} older deleted" if result.dropped else ""
    say(f"{bytes_text(result.size)} at revision {result.manifest.revision}, verified, after {seconds_text(result.seconds)}{more}")
