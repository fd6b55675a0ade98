"""`lab backup list`, `show`, `get` and `keygen`: what is kept at a destination."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from deployers.backup.archive import NAME, measure_part, read_manifest, read_time
from deployers.backup.choose import ArchiveChoice, open_chosen, readable
from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.destinations.open import open_destination
from deployers.backup.destinations.protocol import StoredArchive
from deployers.backup.encryption import SUFFIX, is_encrypted, list_recipient_types, write_identity
from deployers.commands.archive_options import ArchiveName, FromOption, IdentityOption, OptionalFrom, scratch_folder
from deployers.commands.etcd import open_karmada
from deployers.commands.verify import picture
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, option
from lab.terminal.text import Look, bytes_text, format_table, say


def list_backups(source: FromOption, lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """List the backups at a destination, of all planes.

    The newest of each plane comes first. Names are read, archives are not.
    """
    with open_destination(source, lambda: open_karmada(lab)) as destination:
        found = destination.list_archives()
    if output is Output.json:
        print(json.dumps({"schema": 1, "destination": source, "backups": [describe(each) for each in found]}, indent=1))
        return
    rows = [("NAME", "PLANE", "TAKEN", "SIZE", "ENCRYPTED")]
    for each in found:
        facts = describe(each)
        rows.append((each.name, each.plane, facts["taken"], bytes_text(each.size), "yes" if facts["encrypted"] else "no"))
    print("\n".join(format_table(rows, look=Look.of(sys.stdout))) if found else "no backups")


def describe(archive: StoredArchive) -> dict[str, Any]:
    """Return what the name of an archive says, as `-o json` prints it."""
    taken = read_time(archive.name).strftime("%Y-%m-%d %H:%M:%S UTC")
    encrypted = archive.name.endswith(SUFFIX)
    return {"name": archive.name, "plane": archive.plane, "taken": taken, "size": archive.size, "encrypted": encrypted}


def show_archive(
    archive: ArchiveName = None,
    source: OptionalFrom = None,
    identity: IdentityOption = None,
    lab: LabName = DEFAULT_LAB,
    output: OutputOption = Output.text,
) -> None:
    """Show what a backup is of.

    Reads its manifest, and proves nothing: `lab verify` does. Of an encrypted one without --identity it prints what its name and head say.
    """
    with (
        scratch_folder() as scratch,
        open_chosen(ArchiveChoice(archive, source, identity), scratch, lambda: open_karmada(lab), plane=None) as (path, chosen),
    ):
        if is_encrypted(path) and identity is None:
            show_sealed(path, chosen.archive or path.name, output)
            return
        with readable(path, scratch, identity) as plain:
            manifest = read_manifest(plain)
    print(json.dumps(manifest.document(), indent=1) if output is Output.json else "\n".join(picture(manifest, now=time.time())))


def show_sealed(path: Path, name: str, output: Output) -> None:
    """Print what can be known of an encrypted archive without a key."""
    name = Path(name).name
    known = NAME.fullmatch(name)
    part, kinds = measure_part(path), list_recipient_types(path)
    facts: dict[str, Any] = {"schema": 1, "name": name, "encrypted": True, "size": part.size, "sha256": part.sha256, "recipients": kinds}
    if known:
        facts |= {"plane": known["plane"], "taken": read_time(name).timestamp(), "revision": int(known["revision"])}
    if output is Output.json:
        print(json.dumps(facts, indent=1))
        return
    print(f"encrypted to {len(kinds)} recipient{'' if len(kinds) == 1 else 's'} ({', '.join(kinds)}), {bytes_text(part.size)}")
    if known:
        print(f"by its name: plane {known['plane']}, taken {read_time(name):%Y-%m-%d %H:%M:%S} UTC, at revision {known['revision']}")
    print(f"sha256 {part.sha256}")
    say("versions, members and whether it can be restored are known with --identity FILE")


def get(
    source: FromOption,
    archive: Annotated[str | None, typer.Argument(metavar="[ARCHIVE]", help="Name of the backup; the newest if left out.")] = None,
    into: Annotated[Path, option("--into", help="Directory to copy it to.", metavar="DIRECTORY")] = Path(),
    lab: LabName = DEFAULT_LAB,
) -> None:
    """Copy a backup from a destination into a directory."""
    with (
        scratch_folder() as scratch,
        open_chosen(ArchiveChoice(archive, source), scratch, lambda: open_karmada(lab), plane=None) as (path, _),
    ):
        target = ArchiveFolder(into.absolute())
        target.put(path, path.name)
        print(target.locate(path.name))


def keygen(file: Annotated[Path, typer.Argument(metavar="FILE", help="File of the new identity (mode 0600).")]) -> None:
    """Make a key pair to encrypt backups with.

    Writes the identity, which decrypts, and prints its recipient, which encrypts. Keep the identity away from the backups.
    """
    print(write_identity(file.absolute()))
