"""Destination: the protocol of a place where archives are kept, and what is the same for each of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deployers.backup.archive import NAME, UnusableBackup, measure_part
from lab.errors import LabError, NotPossible
from lab.hints import command


@dataclass(frozen=True)
class StoredArchive:
    """An archive at a destination: its name (`archive.NAME`) and its size in bytes."""

    name: str
    size: int

    @property
    def plane(self) -> str:
        """The first eight digits of its control plane's fingerprint."""
        return self.name.split("-")[1]


class Destination(Protocol):
    """**Protocol:** a place where archives are kept, each under its name.

    NotPossible says why it cannot be reached, read or written. Only names that `archive.NAME` matches are listed or deleted.
    """

    @property
    def url(self) -> str:
        """How the command line names it; it holds no secret."""
        ...

    def locate(self, name: str) -> str:
        """Return how a person finds this archive: a path or a URL."""
        ...

    def put(self, file: Path, name: str) -> None:
        """Store a file under a name. The name appears when all of the file is there; a failure leaves nothing."""
        ...

    def get(self, name: str, to: Path) -> None:
        """Write an archive into a file that is there. UnusableBackup when there is none of this name."""
        ...

    def list_archives(self) -> list[StoredArchive]:
        """Return all archives, by their names, the newest of each plane first."""
        ...

    def delete(self, name: str) -> None:
        """Delete an archive. One that is gone already is fine."""
        ...

    def discard_unfinished(self, plane: str) -> list[str]:
        """Delete what interrupted writes of this plane's archives left, and return it. No other write of the plane may be under way."""
        ...


def store(destination: Destination, file: Path, name: str, scratch: Path) -> None:
    """Store a file and read it back. NotPossible, with the name deleted again, when what is read is not what was written."""
    destination.put(file, name)
    try:
        copy = fetch(destination, name, scratch)
        same = measure_part(copy) == measure_part(file)
        copy.unlink()
        if not same:
            raise UnusableBackup("its content differs", where=destination.locate(name))
    except LabError as error:
        with suppress(LabError):  # a destination that is away now keeps it: it was proven before
            destination.delete(name)
        if not isinstance(error, UnusableBackup):
            raise
        raise NotPossible(
            f"backup failed: what {destination.url} gives back is not what it took ({error.what})",
            where=destination.locate(name),
            remedy="it was deleted again; check the storage, or name another destination",
        ) from error


def fetch(destination: Destination, name: str, scratch: Path) -> Path:
    """Return a private copy of an archive in a directory, which the caller deletes. Errors name the original."""
    copy = scratch / "fetched" / name
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy.touch(mode=0o600)
    try:
        destination.get(name, copy)
    except LabError as error:
        rename_in(error, copy, destination.locate(name))
        raise
    return copy


def rename_in(error: LabError, copy: Path, original: str) -> None:
    """Let an error name the original in the place of its copy."""
    error.where = error.where and error.where.replace(str(copy), original)
    error.remedy = error.remedy and error.remedy.replace(str(copy), original)


def archives_of(destination: Destination, plane: str) -> list[StoredArchive]:
    """Return the archives of one control plane, the newest first by their names."""
    return [each for each in destination.list_archives() if each.plane == plane[:8]]


def sort_archives(found: dict[str, int]) -> list[StoredArchive]:
    """Return the archives among files, given as their sizes by name: the newest of each plane first. Others are left out."""
    return [StoredArchive(name, found[name]) for name in sorted(found, reverse=True) if NAME.fullmatch(name)]


def missing_archive(where: str) -> UnusableBackup:
    """Return the error of an archive that is not there."""
    return UnusableBackup("backup not found", where=where, remedy=command("backup", "list", "--from", "DESTINATION"))
