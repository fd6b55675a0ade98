"""The cache: one directory an entry, whole or absent.

    assets/NAME/VERSION-KEY-SOURCE/{NAME, meta.json}     what was brought; KEY is the pin's, so a changed pin finds nothing old
    locks/                                               one file a module or download; the kernel frees it when its holder dies
    work/LOCK/                                           where the holder of LOCK prepares; whatever is left there is garbage to the next

An entry is prepared in `work`, gets its meta.json with sizes and hashes, and is then renamed into `assets`: an interruption at any
moment leaves nothing half. A lookup costs a few stat calls and compares sizes; contents are
compared where a file was written since, and all of them by `lab.assets.stock.verify_assets`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lab.assets.pins import Pin
from lab.assets.progress import AssetProgress, Sink
from lab.errors import NotPossible
from lab.hints import command
from lab.limits.account import cache_directory

Source = Literal["download", "build", "bundle"]
SOURCES: tuple[Source, ...] = ("download", "build", "bundle")
META = "meta.json"
WRITTEN_SINCE = 5.0
"""Seconds after an entry was made for which its own files may still be written."""
SCHEMA = 1


@dataclass(frozen=True)
class CachedFile:
    """One file of an entry; `path` is relative to the thing and "" when the thing is that file."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class CacheEntry:
    """Something in the cache, as its meta.json says. `origin` describes where it came from, `seconds` what bringing it took."""

    name: str
    version: str
    kind: str
    key: str
    source: Source
    origin: str
    seconds: float
    created: float
    files: tuple[CachedFile, ...]
    directory: Path

    @property
    def path(self) -> Path:
        """The thing itself."""
        return self.directory / self.name

    @property
    def size(self) -> int:
        return sum(f.size for f in self.files)

    @property
    def used(self) -> float:
        """When it was last resolved (seconds since the epoch)."""
        return (self.directory / META).stat().st_mtime

    def wrong_size(self) -> str:
        """Why the thing cannot be whole, judged by a stat of each file; "" when sizes agree."""
        for file in self.files:
            path = self.path / file.path if file.path else self.path
            try:
                size = path.stat().st_size
            except OSError as error:
                return f"{path}: {error.strerror}"
            if size != file.size:
                return f"{path}: {size} bytes instead of {file.size}"
        return ""

    def damage(self) -> str:
        """Return why the entry is damaged, "" when it is not: compares sizes, and the content of files that were written since.

        A lookup costs one stat a file as long as no file was written.
        """
        if wrong := self.wrong_size():
            return wrong
        for file in self.files:
            path = self.path / file.path if file.path else self.path
            if path.stat().st_mtime > self.created + WRITTEN_SINCE and hash_file(path) != file.sha256:
                return f"{path}: the checksum differs from the recorded one"
        return ""

    def wrong_content(self) -> str:
        """Return why the entry is damaged, "" when it is not: hashes every byte."""
        if wrong := self.wrong_size():
            return wrong
        for file in self.files:
            path = self.path / file.path if file.path else self.path
            if (got := hash_file(path)) != file.sha256:
                return f"{path}: sha256 {got} instead of {file.sha256}"
        return ""


class Cache:
    """The cache under `root`; creating this object touches nothing."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()

    def find(self, pin: Pin, sources: Sequence[Source] = SOURCES, *, use: bool = True) -> CacheEntry | None:
        """The entry of `pin` from the first of `sources` that has a whole one; None when it must be brought. Marks it as used."""
        for source in sources:
            entry = read_entry(self.place(pin, source))
            if entry is not None and not entry.damage():
                if use:
                    with contextlib.suppress(OSError):  # a cache that is mounted read-only still serves
                        os.utime(entry.directory / META)
                return entry
        return None

    def damaged(self, pin: Pin, sources: Sequence[Source] = SOURCES) -> str:
        """Return why the entry of `pin` that is here cannot be used; "" when there is none."""
        entries = (read_entry(self.place(pin, source)) for source in sources)
        return next((entry.damage() for entry in entries if entry is not None), "")

    def place(self, pin: Pin, source: Source) -> Path:
        """Where the entry of `pin` from `source` is or would be."""
        return self.root / "assets" / pin.name / f"{pin.version}-{pin.key}-{source}"

    @contextlib.contextmanager
    def working(self, lock: str, *, subject: str, progress: Sink) -> Iterator[Path]:
        """An empty work directory that is ours alone while the block runs; another run that wants the same waits here.

        Gone afterwards, however the block ends. NotPossible when the cache cannot be written or the disk is full.
        """
        from filelock import FileLock, Timeout  # noqa: PLC0415 (0.15 s of CPU; looking up needs no lock)

        area = self.root / "work" / lock
        with translate_write_errors(self.root):
            (self.root / "locks").mkdir(parents=True, exist_ok=True)
            held = FileLock(self.root / "locks" / f"{lock}.lock")
            try:
                held.acquire(timeout=0)
            except Timeout:
                progress(AssetProgress("waiting", subject, note="for another run that brings the same"))
                held.acquire()
            try:
                shutil.rmtree(area, ignore_errors=True)
                area.mkdir(parents=True)
                yield area
            finally:
                shutil.rmtree(area, ignore_errors=True)
                held.release()

    @contextlib.contextmanager
    def alone(self, lock: str) -> Iterator[None]:
        """Holds `lock` without waiting for it; NotPossible when another run has it."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 (as above)

        (self.root / "locks").mkdir(parents=True, exist_ok=True)
        held = FileLock(self.root / "locks" / f"{lock}.lock")
        try:
            held.acquire(timeout=0)
        except Timeout as busy:
            raise NotPossible(f"locking {lock} failed: another run works on it", where=held.lock_file, remedy="wait for it") from busy
        try:
            yield
        finally:
            held.release()

    def publish(self, pin: Pin, source: Source, made: Path, *, origin: str, seconds: float) -> CacheEntry:
        """Takes `made` (a file or directory in a work directory of this cache) into the cache and returns its entry.

        The entry appears at once and whole; one that was there before, damaged or not, is replaced.
        """
        place = self.place(pin, source)
        staged = made.parent / f"{pin.name}.entry"
        staged.mkdir()
        thing = staged / pin.name
        made.rename(thing)
        if pin.kind == "binary":
            thing.chmod(0o755)
        entry = CacheEntry(
            pin.name, pin.version, pin.kind, pin.key, source, origin, round(seconds, 1), time.time(), hash_files(thing), place
        )
        facts = {k: v for k, v in asdict(entry).items() if k != "directory"}
        (staged / META).write_text(json.dumps({"schema": SCHEMA, **facts}, indent=1))
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            place.rename(made.parent / f"{pin.name}.old")
        staged.rename(place)
        return entry

    def entries(self) -> Iterator[CacheEntry]:
        """Everything that is here, damaged or not, by name and version."""
        for directory in sorted((self.root / "assets").glob("*/*")):
            if (entry := read_entry(directory)) is not None:
                yield entry

    def free(self) -> int:
        """Bytes that can still be written."""
        at = self.root
        while not at.exists():
            at = at.parent
        return shutil.disk_usage(at).free


def read_entry(directory: Path) -> CacheEntry | None:
    """The entry at `directory`; None when there is none that this version can read."""
    try:
        facts = json.loads((directory / META).read_bytes())
        if facts.pop("schema") != SCHEMA:
            return None
        files = tuple(CachedFile(**f) for f in facts.pop("files"))
        return CacheEntry(**facts, files=files, directory=directory)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def hash_files(thing: Path) -> tuple[CachedFile, ...]:
    """`thing` hashed: itself, or every file under it in order."""
    if thing.is_file():
        return (CachedFile("", thing.stat().st_size, hash_file(thing)),)
    paths = sorted(p for p in thing.rglob("*") if p.is_file())
    return tuple(CachedFile(str(p.relative_to(thing)), p.stat().st_size, hash_file(p)) for p in paths)


def hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def copy_tree(source: Path, target: Path) -> None:
    """Copies a directory of Go's module cache, which is read-only, to one that we may delete again."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for directory, _, _ in os.walk(target):
        Path(directory).chmod(0o755)


def default_root() -> Path:
    """Return $KARMADA_LAB_CACHE, or karmada-lab in the user's cache directory. NotPossible when there is no home either."""
    return cache_directory()


@contextlib.contextmanager
def translate_write_errors(root: Path) -> Iterator[None]:
    """Turns a full disk and a cache that cannot be written into NotPossible with the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full_error(root, None) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            remedy = "set KARMADA_LAB_CACHE to a directory that can be written"
            raise NotPossible(
                f"writing to the asset cache failed: {error.strerror}", where=str(error.filename or root), remedy=remedy
            ) from error
        raise


def disk_full_error(root: Path, need: int | None) -> NotPossible:
    """The error for a disk that is, or would be, full. `need` is what is still to be written, where that is known."""
    free = shutil.disk_usage(root if root.exists() else root.parent).free
    about = f"{need / 2**30:.1f} GiB are needed and " if need is not None else ""
    return NotPossible(
        f"the disk is full: {about}{free / 2**30:.1f} GiB are free",
        where=str(root),
        remedy=f"free some: `{command('assets', 'prune')}` frees what the lab cached, `go clean -cache -modcache` what Go did; "
        "or set KARMADA_LAB_CACHE (and GOCACHE, GOMODCACHE) to another disk",
    )
