"""Source "bundle": one archive, written on a connected computer (`lab bundle`), from which another needs no network.

    manifest.json                    first: what is inside, with sizes and sha256
    NAME/VERSION-KEY/PATH            the files of each entry, in the manifest's order; folders of the cache that are no assets after them

It is a gzipped tar: every Python reads it. Only files that the manifest names are read, and each must have its
sha256. KEY is the pin's: it distinguishes a bundle of other pins of the same version.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from lab.assets.cache import Cache, CachedFile, CacheEntry, hash_files, translate_write_errors
from lab.assets.pins import Pin
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.assets.sources import AssetRequest
from lab.errors import ProvisionError, UsageError
from lab.hints import command

PROJECT = "karmada-lab"
SCHEMA = 1
FOLDER = "folder"
"""The kind of a folder of the cache that has no pin, such as the Debian packages of an image: it is brought as it was."""
DAMAGED = (tarfile.TarError, EOFError, zlib.error, OSError)


@dataclass(frozen=True)
class BundleEntry:
    """One thing in a bundle. `origin` says where the computer that wrote it had it from."""

    name: str
    version: str
    kind: str
    key: str
    origin: str
    files: tuple[CachedFile, ...]

    def member(self, file: CachedFile) -> str:
        """The name of `file` in the archive."""
        return f"{self.name}/{self.version}-{self.key}/{file.path or self.name}"


@dataclass(frozen=True)
class Bundle:
    """A bundle file and its manifest."""

    path: Path
    created: float
    arch: str
    things: tuple[BundleEntry, ...]

    @property
    def size(self) -> int:
        """Bytes of everything inside, unpacked."""
        return sum(f.size for t in self.things for f in t.files)

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """Reads the manifest only. UsageError: not there, not a bundle, of another schema. ProvisionError: cut short or damaged."""
        try:
            with tarfile.open(path, "r|*") as archive:
                first = archive.next()
                stream = archive.extractfile(first) if first is not None and first.name == "manifest.json" else None
                facts = json.loads(stream.read()) if stream is not None else None
        except FileNotFoundError as error:
            raise UsageError(
                "no such bundle", where=str(path), remedy=f"write one with `{command('bundle', 'FILE')}` on a connected computer"
            ) from error
        except tarfile.ReadError as error:
            if path.is_file() and path.read_bytes()[:2] == b"\x1f\x8b":
                raise damaged_error(path, str(error)) from error
            raise UsageError("not a bundle", where=str(path), remedy=f"`{command('bundle', 'FILE')}` writes one") from error
        except DAMAGED as error:
            raise damaged_error(path, str(error)) from error
        except ValueError as error:
            raise damaged_error(path, f"manifest.json: {error}") from error
        if not isinstance(facts, dict) or facts.get("project") != PROJECT:
            raise UsageError(f"not a bundle of {PROJECT}", where=str(path), remedy=f"`{command('bundle', 'FILE')}` writes one")
        if facts.get("schema") != SCHEMA:
            remedy = f"write it again with `{command('bundle', 'FILE')}` of the version that is to read it"
            raise UsageError(
                f"reading the bundle failed: it has schema {facts.get('schema')!r}, this version reads {SCHEMA}",
                where=str(path),
                remedy=remedy,
            )
        try:
            things = tuple(BundleEntry(**t | {"files": tuple(CachedFile(**f) for f in t["files"])}) for t in facts["things"])
            return cls(path, facts["created"], facts["arch"], things)
        except (KeyError, TypeError) as error:
            raise damaged_error(path, f"manifest.json lacks {error}") from error

    def bring(self, pins: Sequence[Pin], errand: AssetRequest) -> None:
        """Unpacks `pins` into the cache, each file checked; the errand has the reasons for those that are not inside.

        ProvisionError when the bundle is damaged: nothing of the damaged thing is kept.
        """
        wanted = {}
        for pin in pins:
            packed = next((t for t in self.things if (t.name, t.key) == (pin.name, pin.key)), None)
            if packed is not None:
                wanted[packed] = pin
            else:
                errand.refuse([pin], "bundle", self.why_not(pin))
        if wanted:
            with errand.cache.working(self.lock, subject=self.path.name, progress=errand.tell) as area:
                wanted = {p: pin for p, pin in wanted.items() if errand.cache.find(pin, ("bundle",)) is None}

                def publish(packed: BundleEntry, thing: Path, seconds: float) -> None:
                    origin = f"bundle {self.path.name}: {packed.origin}"
                    errand.cache.publish(wanted[packed], "bundle", thing, origin=origin, seconds=seconds)

                self.unpack(list(wanted), area, errand.tell, publish)

    def bring_folders(self, cache: Cache, progress: Sink = ignore_progress) -> None:
        """Unpacks the folders of the cache that are inside and not there, each file checked. ProvisionError when it is damaged."""

        def missing() -> list[BundleEntry]:
            return [each for each in self.things if each.kind == FOLDER and not (cache.root / each.name / each.version).exists()]

        if not missing():
            return
        with cache.working(self.lock, subject=self.path.name, progress=progress) as area:

            def publish(packed: BundleEntry, thing: Path, seconds: float) -> None:  # noqa: ARG001 (as for assets)
                (cache.root / packed.name).mkdir(exist_ok=True)
                thing.rename(cache.root / packed.name / packed.version)

            self.unpack(missing(), area, progress, publish)

    @property
    def lock(self) -> str:
        """What its unpacking is called among the works of a cache."""
        return "bundle-" + hashlib.sha256(str(self.path.absolute()).encode()).hexdigest()[:16]

    def why_not(self, pin: Pin) -> str:
        """Why this bundle cannot give `pin`."""
        same = [t for t in self.things if t.name == pin.name]
        if pin.kind == "binary" and self.arch != pin.arch:
            return f"it is for {self.arch} computers"
        if any(t.version == pin.version for t in same):
            return f"it holds {pin.name} {pin.version} for other pins than this version's"
        return f"it holds {pin.name} {', '.join(t.version for t in same)}" if same else "it is not inside"

    def unpack(self, wanted: Sequence[BundleEntry], area: Path, tell: Sink, publish: Callable[[BundleEntry, Path, float], None]) -> None:
        """One pass over the archive; each thing is published when its last file is out, with the seconds since it began."""
        members = {packed.member(f): (packed, f) for packed in wanted for f in packed.files}
        missing = {packed: len(packed.files) for packed in wanted}
        total, done, began = sum(f.size for p in wanted for f in p.files), 0, time.monotonic()
        try:
            with tarfile.open(self.path, "r|*") as archive:
                for member in archive:
                    if member.name not in members:
                        continue
                    packed, file = members.pop(member.name)
                    stream = archive.extractfile(member)
                    thing = area / packed.version / packed.name
                    target = thing / file.path if file.path else thing
                    if PurePosixPath(file.path).is_absolute() or ".." in PurePosixPath(file.path).parts or stream is None:
                        raise damaged_error(self.path, f"{member.name} is not a file inside it")
                    write_file(stream, target, file, self.path)
                    done += file.size
                    event = AssetProgress("unpacking", self.path.name, done, total, "bytes", time.monotonic() - began, note=packed.name)
                    tell(event)
                    missing[packed] -= 1
                    if not missing[packed]:
                        publish(packed, thing, time.monotonic() - began)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise damaged_error(self.path, str(error)) from error
        if members:
            raise damaged_error(self.path, f"it lacks {next(iter(members))} and {len(members) - 1} more, which its manifest names")


def write_file(stream: IO[bytes], target: Path, file: CachedFile, bundle: Path) -> None:
    """`stream` into `target`, checked against what the manifest says of `file`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("wb") as out:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            out.write(chunk)
    if digest.hexdigest() != file.sha256:
        raise damaged_error(bundle, f"{target.name} has sha256 {digest.hexdigest()} and not {file.sha256}")


def write_bundle(
    entries: Iterable[CacheEntry], target: Path, *, arch: str, folders: Sequence[Path] = (), progress: Sink = ignore_progress
) -> Bundle:
    """Writes `entries` of the cache as one archive to `target`, which appears whole or not at all; an existing one is replaced.

    `folders` are others of the cache, two levels below it (debian/bookworm-…). ProvisionError when an entry is not what was brought: a
    bundle carries no damage on.
    """
    entries = list({(e.name, e.version, e.key): e for e in entries}.values())
    things = tuple(BundleEntry(e.name, e.version, e.kind, e.key, f"{e.source} {e.origin}", e.files) for e in entries)
    others = tuple(BundleEntry(path.parent.name, path.name, FOLDER, "", "", hash_files(path)) for path in folders)
    places = [*(entry.path for entry in entries), *folders]
    things = (*things, *others)
    bundle = Bundle(target, time.time(), arch, things)
    facts = {"project": PROJECT, "schema": SCHEMA, "created": bundle.created, "arch": arch, "things": [asdict(t) for t in things]}
    half = target.with_name(target.name + ".part")
    done, began = 0, time.monotonic()
    try:
        with translate_write_errors(target.parent), tarfile.open(half, "w:gz", compresslevel=3) as archive:
            text = json.dumps(facts, indent=1).encode()
            info = tarfile.TarInfo("manifest.json")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
            for entry in entries:
                if wrong := entry.wrong_content():
                    raise ProvisionError(
                        f"writing the bundle failed: {entry.name} {entry.version} is damaged in the cache",
                        where=wrong,
                        remedy=f"`{command('assets', 'verify', '--remove')}`, then again",
                    )
            for place, packed in zip(places, things, strict=True):
                for file in packed.files:
                    path = place / file.path if file.path else place
                    info = tarfile.TarInfo(packed.member(file))
                    info.size, info.mode = file.size, 0o755 if packed.kind == "binary" else 0o644
                    with path.open("rb") as stream:
                        archive.addfile(info, stream)
                    done += file.size
                progress(AssetProgress("packing", target.name, done, bundle.size, "bytes", time.monotonic() - began, note=packed.name))
        half.rename(target)
    finally:
        half.unlink(missing_ok=True)
    return bundle


def damaged_error(path: Path, how: str) -> ProvisionError:
    return ProvisionError(f"the bundle is damaged: {how}", where=str(path), remedy="copy it again, and compare sha256sum at both ends")
