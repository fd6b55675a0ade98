"""Archives in the cache: one directory each, whole or absent, found by a key of what they hold.

    images/KEY/{images.tar, meta.json}

The directory `images` is mounted into every kind node (read-only), so that loading copies nothing. A key follows from the images' data and
the content of their assets, which the asset cache has hashed already: looking an archive up reads no file of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab.assets.cache import Cache, hash_file, hash_files, read_entry, translate_write_errors
from lab.assets.pins import detect_arch
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.count import count
from lab.errors import UsageError
from lab.images import archive as tar
from lab.images import debian, official
from lab.images.image import Image, full_name
from lab.images.official import PulledImage

SCHEMA = 1
"""Of meta.json and of how archives are written: a change of either makes every key a new one."""
TAR, META = "images.tar", "meta.json"


@dataclass(frozen=True)
class Archive:
    """An archive that is there, whole. `images` in the order in which they were asked for."""

    key: str
    path: Path
    images: tuple[tar.ArchivedImage, ...]
    size: int
    seconds: float
    created: float

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(image.name for image in self.images)

    @property
    def used(self) -> float:
        """When it was last asked for (seconds since the epoch)."""
        return (self.path.parent / META).stat().st_mtime


@dataclass(frozen=True)
class ArchiveStore:
    """The archives of a cache; making this object touches nothing."""

    cache: Cache = field(default_factory=Cache)
    progress: Sink = ignore_progress

    @property
    def root(self) -> Path:
        return self.cache.root / "images"

    def archived(self, images: Sequence[Image], paths: Mapping[str, Path]) -> Archive:
        """Return the archive of these images, written now if there is none of the same content. See `lab.images`."""
        pulled = official.find_pulled(images, cache=self.cache)
        for each in pulled.values():
            with suppress(OSError):
                os.utime(each.folder)
        made = [image for image in images if image.official not in pulled]
        check_images(images, made, paths)
        sets = dict.fromkeys(image.root for image in made if image.root)
        roots = {packages: debian.fetch_root(packages, cache=self.cache, progress=self.progress) for packages in sets}
        key = compute_key(images, paths, self.cache, pulled)
        if found := self.find(key):
            return found
        subject = count(len(images), "image") if len(images) > 1 else images[0].name
        with self.cache.working(f"images-{key}", subject=subject, progress=self.progress) as area:
            if found := self.find(key):  # another run wrote it while we waited
                return found
            began = time.monotonic()
            self.progress(AssetProgress("packing", subject))
            with translate_write_errors(self.cache.root):
                staged = area / key
                staged.mkdir()
                with (staged / TAR).open("wb") as out:
                    written = tar.write_archive(out, images, paths, roots, pulled)
                facts = {"schema": SCHEMA, "seconds": round(time.monotonic() - began, 1), "created": time.time()}
                (staged / META).write_text(json.dumps({**facts, "images": [asdict(image) for image in written]}, indent=1))
                self.root.mkdir(parents=True, exist_ok=True)
                staged.rename(self.root / key)
        found = self.find(key)
        assert found is not None
        return found

    def find(self, key: str) -> Archive | None:
        """Return an archive by its key, marked as used; None when it has to be written."""
        found = self.read(self.root / key)
        if found:
            with suppress(OSError):  # a cache that is mounted read-only still serves
                os.utime(found.path.parent / META)
        return found

    def read(self, folder: Path) -> Archive | None:
        """Return the archive in a directory; None when there is none that this version can read."""
        try:
            facts = json.loads((folder / META).read_bytes())
            if facts.pop("schema") != SCHEMA:
                return None
            images = tuple(tar.ArchivedImage(**image) for image in facts.pop("images"))
            return Archive(folder.name, folder / TAR, images, (folder / TAR).stat().st_size, **facts)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def archives(self) -> Iterator[Archive]:
        """Yield every archive, the one used last first."""
        if self.root.is_dir():
            found = filter(None, (self.read(folder) for folder in self.root.iterdir()))
            yield from sorted(found, key=lambda archive: -archive.used)


def make_archive(
    images: Sequence[Image], paths: Mapping[str, Path], *, cache: Cache | None = None, progress: Sink = ignore_progress
) -> Archive:
    """Return one archive of all these images; see `lab.images`. UsageError when a name is taken twice or an asset was not brought."""
    return ArchiveStore(cache or Cache(), progress).archived(images, paths)


def check_images(images: Sequence[Image], made: Sequence[Image], paths: Mapping[str, Path]) -> None:
    """UsageError for what cannot become an archive, before anything is written; `made` are those of `images` that are made here."""
    names = [image.name for image in images]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"several images have the same name: {', '.join(twice)}")
    lacking = sorted({file.asset for image in made for file in image.files if file.asset and file.asset not in paths})
    if lacking or not images:
        raise UsageError(f"images need assets that were not brought: {', '.join(lacking)}" if lacking else "no images given")


def compute_key(images: Sequence[Image], paths: Mapping[str, Path], cache: Cache, pulled: Mapping[str, PulledImage]) -> str:
    """Return the hash of everything that an archive's bytes follow from."""
    made = [image for image in images if image.official not in pulled]
    content = {asset: hash_asset(paths[asset]) for asset in {file.asset for image in made for file in image.files if file.asset}}

    def facts_of(image: Image) -> dict[str, Any]:
        if image.official in pulled:
            return {"name": image.name, "pulled": pulled[image.official].folder.name}
        facts = asdict(image)
        del facts["official"]  # what is in it does not depend on it
        files = [{**asdict(file), "content": (file.content or b"").hex(), "asset": content.get(file.asset)} for file in image.files]
        packages = [asdict(image.root), debian.read_versions(image.root, cache)] if image.root else None
        return {**facts, "files": files, "packages": packages}

    facts = [facts_of(image) for image in images]
    return hashlib.sha256(json.dumps([SCHEMA, detect_arch(), facts], sort_keys=True).encode()).hexdigest()[:20]


def hash_asset(path: Path) -> list[tuple[str, str]]:
    """Return (path inside, sha256) of each file of an asset: as the cache noted when it was brought, or else read now."""
    entry = read_entry(path.parent)
    known = entry.files if entry is not None and entry.path == path and not entry.wrong_size() else hash_files(path)
    return [(file.path, file.sha256) for file in known]


def adopt_archive(store: ArchiveStore, path: Path) -> Archive:
    """Copy an archive that `docker save` wrote into the cache, so that nodes see it. UsageError for another file.

    The digests of its images on a node are unknown: each request loads it again.
    """
    try:
        with path.open("rb") as file:
            names = tar.read_names(file)
        key = hash_file(path)[:20]
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise UsageError(f"not an archive of images: {error}", where=str(path), remedy="docker save IMAGE --output FILE") from error
    if found := store.find(key):
        return found
    with store.cache.working(f"images-{key}", subject=str(path), progress=store.progress) as area, translate_write_errors(store.cache.root):
        staged = area / key
        staged.mkdir()
        shutil.copyfile(path, staged / TAR)
        images = [{"name": full_name(name), "digest": "", "id": "", "size": 0} for name in names]
        facts = {"schema": SCHEMA, "seconds": 0.0, "created": time.time(), "images": images}
        (staged / META).write_text(json.dumps(facts, indent=1))
        store.root.mkdir(parents=True, exist_ok=True)
        if not (store.root / key).exists():
            staged.rename(store.root / key)
    found = store.find(key)
    assert found is not None
    return found
