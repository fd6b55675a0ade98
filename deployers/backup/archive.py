"""A backup as a file: one archive, mode 0600, that holds all of a control plane that cannot be made again.

    manifest.json     of which plane, when, of which versions, at which revision; size and sha256 of every part. The first entry.
    etcd.snapshot     what etcdctl snapshot save wrote
    pki/…             the authorities and the service-account keys: without them no member would trust a new control plane

Leaves and kubeconfigs are not in it: they name addresses, and are issued again where the archive is restored. An archive is a
gzipped tar, so that it can be looked into without us; entries are read by name, one at a time, and never extracted as a whole.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import json
import re
import shutil
import tarfile
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

from lab.errors import NotPossible, UsageError
from lab.run import replace_file

Json = dict[str, Any]
KIND, SCHEMA = "karmada-backup", 1
MANIFEST, SNAPSHOT = "manifest.json", "etcd.snapshot"
KEYS = ("ca.crt", "ca.key", "etcd-ca.crt", "etcd-ca.key", "sa.pub", "sa.key")
"""What is kept of a control plane's keys, by the name of its file."""
PARTS = (SNAPSHOT, *(f"pki/{name}" for name in KEYS))
NAME = re.compile(r"karmada-(?P<plane>[0-9a-f]{8})-(?P<taken>\d{8}T\d{6}Z)-r(?P<revision>\d+)\.tar\.gz(?P<encrypted>\.age)?")
LARGEST_MANIFEST = 1 << 20
CHUNK = 1 << 20


class UnusableBackup(UsageError):
    """This file cannot be restored, and why. Nothing was changed."""


@dataclass(frozen=True)
class ArchivePart:
    """One entry of an archive."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself.

    `plane` is the fingerprint of the control plane's authority: who has the same one is the same plane, wherever it runs. `hash` and
    `keys` are what etcdutl says of the snapshot, `members` mode and address of each by name. `addons` are the records of the plane's
    third-party addons (`deployers.addons.site`); without them a restored plane would not own the addons' objects; None in
    archives that were written before it was kept.
    """

    plane: str
    lab: str
    taken: float
    revision: int
    hash: int
    keys: int
    versions: Mapping[str, str]
    server: str
    spec: Json
    members: Mapping[str, Json]
    parts: Mapping[str, ArchivePart]
    addons: Mapping[str, Json] | None = None

    @property
    def file_name(self) -> str:
        """The name of the archive's file: it sorts by time within one plane."""
        when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.taken))
        return f"karmada-{self.plane[:8]}-{when}-r{self.revision}.tar.gz"

    def document(self) -> Json:
        return {"kind": KIND, "schema": SCHEMA, **asdict(self)}

    @classmethod
    def parse(cls, document: Any, *, where: str) -> Manifest:
        """Read a manifest. Unusable: it is none of ours, or another version of us wrote it."""
        if not isinstance(document, dict) or document.get("kind") != KIND:
            raise foreign_error(where)
        schema = document.get("schema")
        if schema != SCHEMA:
            age = "a newer" if isinstance(schema, int) and schema > SCHEMA else "an older"
            raise UnusableBackup(
                f"this backup was written by {age} version of karmada-lab (schema {schema}; this one reads {SCHEMA})",
                where=where,
                remedy="restore it with the version that wrote it",
            )
        try:
            fields = {"addons": None, **document}
            fields = {field: fields[field] for field in cls.__dataclass_fields__}
            parts = {name: ArchivePart(int(part["size"]), str(part["sha256"])) for name, part in fields["parts"].items()}
            if missing := sorted(set(PARTS) - parts.keys()):
                raise UnusableBackup(f"this backup has no {missing[0]}", where=where, remedy="take another backup")
            return cls(**{**fields, "parts": parts})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged_error(where, f"its manifest lacks or garbles {error}") from error


def foreign_error(where: Path | str) -> UnusableBackup:
    """Return the error of a file that is something else."""
    return UnusableBackup("this is not a backup of Karmada", where=str(where), remedy="give an archive of a backup, karmada-…")


def damaged_error(where: str, how: str) -> UnusableBackup:
    """Return the error of an archive that changed after it was written."""
    return UnusableBackup(f"this backup is damaged: {how}", where=where, remedy="use another backup; nothing was changed")


def measure_part(path: Path) -> ArchivePart:
    """Return size and sha256 of a file."""
    with path.open("rb") as file:
        return ArchivePart(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def write(manifest: Manifest, files: Mapping[str, Path], folder: Path) -> Path:
    """Write an archive into a folder, whole or not at all, and return its path. NotPossible when it cannot be written there."""
    target = folder / manifest.file_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replace_file(target) as unfinished:
            write_entries(unfinished, manifest, files)
    except OSError as error:
        raise NotPossible(
            f"the backup cannot be written: {error.strerror or error}",
            where=str(target),
            remedy="make room or make it writable, or name another directory",
        ) from error
    return target


def write_entries(target: Path, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write the entries of an archive into a file that is there."""
    head = json.dumps(manifest.document(), indent=1).encode()
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=int(manifest.taken)) as stream,
        tarfile.open(fileobj=stream, mode="w") as tar,
    ):
        tar.addfile(entry_header(MANIFEST, len(head), manifest.taken), io.BytesIO(head))
        for name, file in files.items():
            with file.open("rb") as content:
                tar.addfile(entry_header(name, manifest.parts[name].size, manifest.taken), content)


def entry_header(name: str, size: int, taken: float) -> tarfile.TarInfo:
    """Return the head of one entry: without an owner's name, and readable by the owner alone after `tar -x`."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(taken)
    return info


@contextmanager
def open_entries(path: Path, *, whole: bool = False) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes]]]]:
    """Yield the entries of an archive in their order; `whole`: to its last byte. Unusable when it is cut short or no archive."""

    def each(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
        for info in tar:
            content = tar.extractfile(info) if info.isreg() else None
            if content is None:
                raise damaged_error(str(path), f"{info.name} is not a regular file")
            yield info, content

    with explain_damage(path), gzip.open(path, "rb") as stream, tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as tar:
        yield each(tar)
        while whole and stream.read(CHUNK):  # to its end, where gzip's own checksum is
            pass


@contextmanager
def explain_damage(path: Path) -> Iterator[None]:
    """Raise UnusableBackup with the reason when reading an archive fails."""
    try:
        yield
    except FileNotFoundError as error:
        raise UnusableBackup("backup not found", where=str(path), remedy="name an archive of a backup, karmada-…") from error
    except EOFError as error:
        raise damaged_error(str(path), "it is cut short") from error
    except zlib.error as error:
        raise damaged_error(str(path), f"its compression is broken ({error})") from error
    except (tarfile.TarError, gzip.BadGzipFile) as error:
        raise foreign_error(path) from error
    except OSError as error:
        raise UnusableBackup(f"the backup cannot be read: {error.strerror or error}", where=str(path)) from error


def read_manifest(path: Path) -> Manifest:
    """Return what an archive says of itself; nothing else of it is looked at. Unusable as in `Manifest.parse`."""
    with open_entries(path) as found:
        info, content = next(found, (None, None))
        if info is None or content is None or info.name != MANIFEST or info.size > LARGEST_MANIFEST:
            raise foreign_error(path)
        return parse_manifest(content.read(), path)


def parse_manifest(text: bytes, path: Path) -> Manifest:
    """Read the text of a manifest."""
    try:
        return Manifest.parse(json.loads(text), where=str(path))
    except ValueError as error:
        raise damaged_error(str(path), f"its manifest cannot be read ({error})") from error


def unpack(path: Path, folder: Path) -> Manifest:
    """Write the parts of an archive into a folder (0600), each compared with its size and sha256; return the manifest.

    Unusable: damaged, cut short, or it holds what is not in its manifest. The folder is then for the caller to delete.
    """
    with open_entries(path, whole=True) as found:
        manifest: Manifest | None = None
        seen: set[str] = set()
        for info, content in found:
            if manifest is None:
                if info.name != MANIFEST or info.size > LARGEST_MANIFEST:
                    raise foreign_error(path)
                manifest = parse_manifest(content.read(), path)
                continue
            if info.name not in manifest.parts or info.name not in PARTS or info.name in seen:
                raise damaged_error(str(path), f"{info.name} is not in its manifest, or there twice")
            if info.size != manifest.parts[info.name].size:
                raise damaged_error(str(path), f"{info.name} has {info.size} bytes, not {manifest.parts[info.name].size}")
            target = folder / info.name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.touch(mode=0o600)
            with target.open("wb") as out:
                shutil.copyfileobj(content, out, CHUNK)
            if measure_part(target) != manifest.parts[info.name]:
                raise damaged_error(str(path), f"{info.name} has changed: its sha256 differs")
            seen.add(info.name)
        if manifest is None:
            raise foreign_error(path)
        if missing := sorted(manifest.parts.keys() - seen):
            raise damaged_error(str(path), f"{missing[0]} is missing")
    return manifest


def read_time(name: str) -> dt.datetime:
    """Return when the archive of this name was taken. ValueError when it is no name of one."""
    match = NAME.fullmatch(name)
    if match is None:
        raise ValueError(name)
    return dt.datetime.strptime(match["taken"], "%Y%m%dT%H%M%S%z")
