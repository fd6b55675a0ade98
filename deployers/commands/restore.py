"""`lab restore`: restore a control plane from a backup, in place or in a new lab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from deployers.backup.move import move
from deployers.backup.restore import RestoreResult
from deployers.backup.restore import restore as in_place
from deployers.backup.unowned import list_unowned
from deployers.commands.etcd import open_karmada
from deployers.release import make_supply
from deployers.wanted import document
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, option
from lab.count import count
from lab.errors import UsageError
from lab.run import runs_root
from lab.supply_choices import SupplyChoices
from lab.terminal.drawing import open_drawing
from lab.terminal.text import say, seconds_text

Archive = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="A file that `lab backup` wrote.")]
NewSpec = Annotated[Path | None, option("--spec", help="Lab file (TOML) of the new lab.", metavar="FILE")]
Offline = Annotated[bool, option("--offline", help="For a new lab, use the cache and --bundle only, never the network.")]
Bundle = Annotated[Path | None, option("--bundle", help="For a new lab, an archive that `lab bundle` wrote.", metavar="FILE")]


def restore(
    path: Archive,
    lab: LabName = DEFAULT_LAB,
    spec: NewSpec = None,
    offline: Offline = False,
    bundle: Bundle = None,
    output: OutputOption = Output.text,
) -> None:
    """Restore Karmada from a backup.

    An existing lab is restored in place. Otherwise a new lab is created, with its own addresses: the move to a new site.

    Members keep running and are reached again. Objects propagated after the backup stay on them, are no longer Karmada's, and are listed.
    """
    there = (runs_root() / lab / "run.json").exists()
    if there and (spec or offline or bundle):
        raise UsageError(
            f"--spec, --offline and --bundle are only for a new lab, and lab {lab} exists",
            remedy="leave these options out, or name a new lab",
        )
    with open_drawing(f"restore of lab {lab}") as screen:
        if there:
            done = in_place(open_karmada(lab), path.absolute(), watcher=screen.watcher)
        else:
            supply = make_supply(SupplyChoices(offline=offline, bundle=bundle), progress=screen.progress)
            new = document(spec) if spec else None
            done = move(path.absolute(), lab, supply=supply, asked=new, watcher=screen.watcher)
            if done.hold:
                done.hold.release(keep=True)
    show(done, lab, output)


def show(done: RestoreResult, lab: str, output: Output) -> None:
    """Print what was restored, and the objects on members that Karmada no longer owns."""
    left = list_unowned(done.karmada, done.karmada.members)
    if output is Output.json:
        print(
            json.dumps(
                {
                    "schema": 1,
                    "lab": lab,
                    "seconds": round(done.seconds, 3),
                    "age": round(done.age, 3),
                    "revisions_lost": done.lost,
                    "revision": done.manifest.revision,
                    "members": list(done.members),
                    "left_over": left,
                },
                indent=1,
            )
        )
        return
    lost = "" if done.lost is None else f", {count(done.lost, 'revision')}"
    print(f"Karmada of lab {lab} serves again after {seconds_text(done.seconds)}, as it was {seconds_text(done.age)} before{lost}")
    print(f"members reached: {', '.join(done.members) or 'none'}")
    for member, things in left.items():
        for thing in things:
            print(f"on {member}, no longer Karmada's: {thing}")
    if any(left.values()):
        say("these were propagated after the backup and keep running; apply them to Karmada again, or delete them on the member")
