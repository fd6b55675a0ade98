"""Official images, by digest: pulled where a registry answers, built here otherwise.

    Lock.read()                names and digests (official.toml beside this file)
    pull_images(images)        brings what the lock names (`lab.images.pull`)
    make_archive(images, …)    takes pulled images as they are, and builds the rest

A digest is the only proof of content: it is written once (`lab images lock`, which reads a registry by tag) and kept with this project.
From then on the same bytes run everywhere, or none. A pulled image is in the cache and needs no registry again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.assets.cache import Cache
from lab.documents import read_toml
from lab.errors import UsageError
from lab.hints import command
from lab.images import image as data
from lab.images.image import Image

Json = dict[str, Any]
LOCK = Path(__file__).with_name("official.toml")
HEAD = """# Digests of official images: what is pulled, where a registry answers, in place of being made here. Written by `lab images lock`.
# An image that is not named here is made here. The digest is that of the index, which is the same for all processors.
"""
FOLDER, MANIFEST = "official", "manifest.json"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageLock:
    """Which official image is which: digests by full name."""

    digests: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None = None) -> ImageLock:
        """Read a lock; an empty one where there is no file. UsageError names an invalid name or digest."""
        path = path or LOCK
        digests = read_toml(path, what="the lock of official images").get("digests", {}) if path.exists() else {}
        for name, digest in digests.items():
            if data.full_name(name) != name or not DIGEST.fullmatch(str(digest)):
                raise UsageError(
                    f"invalid entry {name} = {digest!r}: write an image's full name and its sha256 digest",
                    where=str(path),
                    remedy=command("images", "lock"),
                )
        return cls(digests)

    def write(self, path: Path | None = None) -> None:
        """Write it, by name."""
        lines = [f'"{name}" = "{digest}"\n' for name, digest in sorted(self.digests.items())]
        (path or LOCK).write_text(f"{HEAD}[digests]\n{''.join(lines)}")


@dataclass(frozen=True)
class PulledImage:
    """An official image that is here, whole: its manifest as the registry served it, and a file for each of its blobs."""

    folder: Path

    @property
    def manifest(self) -> bytes:
        return (self.folder / MANIFEST).read_bytes()

    @property
    def blobs(self) -> list[Json]:
        """The descriptors of its configuration and of its layers, in this order."""
        facts = json.loads(self.manifest)
        return [facts["config"], *facts["layers"]]

    def file(self, digest: str) -> Path:
        return self.folder / digest.replace(":", "-")

    @property
    def size(self) -> int:
        """Its bytes on disk."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    @property
    def used(self) -> float:
        """When it was last put into an archive, or asked to be (seconds since the epoch)."""
        return self.folder.stat().st_mtime


def find_pulled(images: Iterable[Image], *, lock: ImageLock | None = None, cache: Cache | None = None) -> dict[str, PulledImage]:
    """Return those of these images that were pulled, by official name. Nothing is asked of a registry."""
    lock, cache = lock or ImageLock.read(), cache or Cache()
    known = {name: locate_pulled(lock.digests[name], cache) for name in list_official_names(images) if name in lock.digests}
    return {name: PulledImage(folder) for name, folder in known.items() if folder.is_dir()}


def list_pulled(cache: Cache) -> list[PulledImage]:
    """Return every official image in a cache."""
    folder = cache.root / FOLDER
    return [PulledImage(path) for path in sorted(folder.iterdir())] if folder.is_dir() else []


def locate_pulled(digest: str, cache: Cache) -> Path:
    """Return where an image of that digest is or would be."""
    return cache.root / FOLDER / digest.replace(":", "-")


def missing_software(images: Iterable[Image]) -> list[str]:
    """Return the assets that images are made of, as name@version, each once; of what was pulled none."""
    images = list(images)
    pulled = find_pulled(images)
    return data.list_assets(image for image in images if image.official not in pulled)


def list_official_names(images: Iterable[Image]) -> list[str]:
    """Return the official names of images that have one, each once."""
    return list(dict.fromkeys(image.official for image in images if image.official))
