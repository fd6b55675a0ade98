"""`lab verify`: check that a backup can be restored."""

from __future__ import annotations

import json
import time

from deployers.backup.archive import Manifest
from deployers.backup.choose import ArchiveChoice, open_chosen, readable
from deployers.backup.verify import verify as prove
from deployers.commands.archive_options import ArchiveName, IdentityOption, OptionalFrom, scratch_folder
from deployers.commands.etcd import open_karmada
from deployers.etcd.tools import Etcdutl
from deployers.release import make_supply
from lab.cli.options import DEFAULT_LAB, LabName, OfflineOption, Output, OutputOption
from lab.count import count
from lab.machines.local import Local
from lab.supply_choices import SupplyChoices
from lab.terminal.text import bytes_text, say, seconds_text


def verify(
    archive: ArchiveName = None,
    source: OptionalFrom = None,
    identity: IdentityOption = None,
    lab: LabName = DEFAULT_LAB,
    offline: OfflineOption = False,
    output: OutputOption = Output.text,
) -> None:
    """Verify a backup without restoring it.

    Checks every file by its checksum, etcd's data by reading all keys, and every private key by its certificate. Needs no lab, but for
    a backup in a volume (--from pvc://…). Exit code 2 when it cannot be restored.
    """
    with (
        scratch_folder() as scratch,
        open_chosen(ArchiveChoice(archive, source, identity), scratch, lambda: open_karmada(lab), plane=None) as (path, chosen),
        readable(path, scratch, identity) as plain,
    ):
        utl = Etcdutl.found(Local(scratch), make_supply(SupplyChoices(offline=offline)))
        manifest = prove(plain, scratch / "proof", utl)
    if output is Output.json:
        print(json.dumps(manifest.document(), indent=1))
        return
    print("\n".join(picture(manifest, now=time.time())))
    say(f"{chosen.archive} can be restored")


def picture(manifest: Manifest, *, now: float) -> list[str]:
    """Return the contents of a backup as lines of text."""
    members = [f"{name} ({member['mode']})" for name, member in manifest.members.items()]
    return [
        f"plane     {manifest.plane[:8]}, of lab {manifest.lab}",
        f"taken     {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(manifest.taken))} UTC, {seconds_text(now - manifest.taken)} ago",
        f"versions  {', '.join(f'{name} {version}' for name, version in manifest.versions.items())}",
        f"etcd      {count(manifest.keys, 'key')} at revision {manifest.revision}, {bytes_text(manifest.parts['etcd.snapshot'].size)}",
        f"members   {', '.join(members) or 'none'}",
    ]
