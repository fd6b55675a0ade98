"""Which archive is restored or looked at: a file, or the one of a name (or the newest) at a destination; decrypted where it has to be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.destinations.open import LabOpener, open_destination
from deployers.backup.destinations.protocol import Destination, StoredArchive, archives_of, fetch, missing_archive, rename_in
from deployers.backup.encryption import SUFFIX, decrypt, is_encrypted
from lab.errors import LabError, UsageError
from lab.hints import command


@dataclass(frozen=True)
class ArchiveChoice:
    """What the command line says of an archive: its name or path, its destination, and the file of an identity."""

    archive: str | None = None
    url: str | None = None
    identity: Path | None = None

    @property
    def args(self) -> tuple[str, ...]:
        """The arguments of `lab restore` that choose this archive."""
        kept = ("--from", self.url) if self.url else ()
        secret = ("--identity", str(self.identity)) if self.identity else ()
        return (*((self.archive,) if self.archive else ()), *kept, *secret)


@contextmanager
def open_chosen(choice: ArchiveChoice, scratch: Path, open_lab: LabOpener, *, plane: str | None) -> Iterator[tuple[Path, ArchiveChoice]]:
    """Yield the chosen archive as it is stored, and the choice with its name; copies are deleted afterwards.

    Without a name it is the newest of `plane`, or of the only plane at the destination. UsageError: nothing is named; UnusableBackup:
    there is none. The directory `scratch` is the caller's, private and deleted afterwards.
    """
    if choice.url is None:
        if choice.archive is None:
            raise UsageError("no backup is named", remedy="give its file, or --from DESTINATION for the newest there")
        if "://" in choice.archive:
            raise UsageError("ARCHIVE is a file or a name", where=choice.archive, remedy="give the destination by --from")
        yield Path(choice.archive).absolute(), choice
        return
    with open_destination(choice.url, open_lab) as destination:
        name = choice.archive or find_newest(destination, plane).name
        if "/" in name:
            raise UsageError("with --from, ARCHIVE is the name of an archive there", where=name, remedy="leave --from out to name a file")
        location = destination.locate(name)
        path = destination.folder / name if isinstance(destination, ArchiveFolder) else fetch(destination, name, scratch)
    try:
        yield path, ArchiveChoice(name, choice.url, choice.identity)
    except LabError as error:
        rename_in(error, path, location)
        raise


def find_newest(destination: Destination, plane: str | None) -> StoredArchive:
    """Return the newest archive of a plane. UnusableBackup: there is none; UsageError: no plane is given, and it holds those of several."""
    found = destination.list_archives() if plane is None else archives_of(destination, plane)
    if not found:
        raise missing_archive(f"{destination.url}{f', plane {plane[:8]}' if plane else ''}")
    if len(planes := {each.plane for each in found}) > 1:
        raise UsageError(
            f"{destination.url} holds backups of {len(planes)} control planes: {', '.join(sorted(planes))}",
            remedy=f"name the archive; {command('backup', 'list', '--from', destination.url)}",
        )
    return found[0]


@contextmanager
def readable(path: Path, scratch: Path, identity: Path | None) -> Iterator[Path]:
    """Yield an archive that can be read: itself, or a decrypted copy, which is deleted afterwards. Errors name the original."""
    if not is_encrypted(path):
        yield path
        return
    copy = scratch / "decrypted" / path.name.removesuffix(SUFFIX)
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        decrypt(path, copy, identity)
        yield copy
    except LabError as error:
        rename_in(error, copy, str(path))
        raise
    finally:
        copy.unlink(missing_ok=True)
