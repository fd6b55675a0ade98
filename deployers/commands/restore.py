"""`lab restore`: restore a control plane from a backup, in place or in a new lab."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from deployers.backup.choose import ArchiveChoice, open_chosen, readable
from deployers.backup.move import move
from deployers.backup.restore import RestoreResult
from deployers.backup.restore import restore as in_place
from deployers.backup.take import plane_of
from deployers.backup.unowned import list_unowned
from deployers.commands.archive_options import ArchiveName, IdentityOption, OptionalFrom, scratch_folder
from deployers.commands.etcd import open_karmada
from deployers.karmada import Karmada
from deployers.release import make_supply
from deployers.wanted import document
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, option, take_options
from lab.count import count
from lab.errors import UsageError
from lab.hints import command
from lab.run import runs_root
from lab.supply_choices import SupplyChoices
from lab.terminal.drawing import Drawing, open_drawing
from lab.terminal.text import say, seconds_text

NewSpec = Annotated[Path | None, option("--spec", help="Lab file (TOML) of the new lab.", metavar="FILE")]
Offline = Annotated[bool, option("--offline", help="For a new lab, use the cache and --bundle only, never the network.")]
Bundle = Annotated[Path | None, option("--bundle", help="For a new lab, an archive that `lab bundle` wrote.", metavar="FILE")]


@dataclass(frozen=True, kw_only=True)
class RestoreOptions:
    """The options of `lab restore`."""

    archive: ArchiveName = None
    source: OptionalFrom = None
    identity: IdentityOption = None
    lab: LabName = DEFAULT_LAB
    spec: NewSpec = None
    offline: Offline = False
    bundle: Bundle = None
    output: OutputOption = Output.text


@take_options(RestoreOptions)
def restore(given: RestoreOptions) -> None:
    """Restore Karmada from a backup.

    An existing lab is restored in place. Otherwise a new lab is created, with its own addresses: the move to a new site.

    Members keep running and are reached again. Objects propagated after the backup stay on them, are no longer Karmada's, and are listed.
    """
    there = (runs_root() / given.lab / "run.json").exists()
    if there and (given.spec or given.offline or given.bundle):
        raise UsageError(
            f"--spec, --offline and --bundle are only for a new lab, and lab {given.lab} exists",
            remedy="leave these options out, or name a new lab",
        )
    with open_drawing(f"restore of lab {given.lab}") as screen, scratch_folder() as scratch:
        done = restore_in_place(given, scratch, screen) if there else restore_elsewhere(given, scratch, screen)
    show(done, given.lab, given.output)


def restore_in_place(given: RestoreOptions, scratch: Path, screen: Drawing) -> RestoreResult:
    """Restore the Karmada of a lab that exists."""
    karmada = open_karmada(given.lab)
    plane = plane_of(karmada) if given.source and given.archive is None else None
    choice = ArchiveChoice(given.archive, given.source, given.identity)
    with open_chosen(choice, scratch, lambda: karmada, plane=plane) as (path, chosen), readable(path, scratch, given.identity) as plain:
        return in_place(karmada, plain, chosen=chosen.args, watcher=screen.watcher)


def restore_elsewhere(given: RestoreOptions, scratch: Path, screen: Drawing) -> RestoreResult:
    """Bring up a new lab with the Karmada of a backup."""
    supply = make_supply(SupplyChoices(offline=given.offline, bundle=given.bundle), progress=screen.progress)
    new = document(given.spec) if given.spec else None
    choice = ArchiveChoice(given.archive, given.source, given.identity)
    chosen = open_chosen(choice, scratch, partial(refuse_volume, given.lab), plane=None)
    with chosen as (path, _), readable(path, scratch, given.identity) as plain:
        done = move(plain, given.lab, supply=supply, asked=new, watcher=screen.watcher)
    if done.hold:
        done.hold.release(keep=True)
    return done


def refuse_volume(lab: str) -> Karmada:
    """Raise UsageError: a lab that is not there yet has no volume that holds a backup."""
    raise UsageError(
        f"lab {lab} does not exist yet, and pvc:// names a volume of its host cluster",
        remedy=f"fetch the archive through the lab that has the volume: {command('backup', 'get', '--from', 'pvc://…', '--lab', 'LAB')}",
    )


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
