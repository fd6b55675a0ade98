"""Bring official images into the cache by their digests, and read the digests that a registry has now."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from lab.assets.cache import Cache, translate_write_errors
from lab.assets.pins import detect_arch
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.errors import NotPossible, ProvisionError
from lab.hints import command
from lab.images.image import Image
from lab.images.official import LOCK, MANIFEST, ImageLock, PulledImage, find_pulled, list_official_names, locate_pulled
from lab.images.registry import ImageAbsent, Registry, RegistryUnavailable, Repository


def pull_images(
    images: Iterable[Image],
    *,
    lock: ImageLock | None = None,
    registry: str | None = None,
    cache: Cache | None = None,
    progress: Sink = ignore_progress,
    client: Registry | None = None,
) -> dict[str, str]:
    """Bring the official images that the lock names into the cache; `registry` (host[:port][/prefix]) stands for upstream's.

    Return the reasons for images of the lock that could not be pulled, by name: they are built here.

    ProvisionError when a registry has another image by the name
    than the lock says, or serves what is not of its digest.
    """
    lock, cache = lock or ImageLock.read(), cache or Cache()
    wanted = [name for name in list_official_names(images) if name in lock.digests]
    there = find_pulled((Image(name, official=name) for name in wanted), lock=lock, cache=cache)
    missing = [name for name in wanted if name not in there]
    reasons: dict[str, str] = {}
    if not missing:
        return reasons
    try:
        client = client or Registry()
    except NotPossible as error:  # no client for this environment
        for name in missing:
            reasons[name] = f"{error.what} ({error.where}); {error.remedy}"
            progress(AssetProgress("refused", name, note=f"{reasons[name]}: it is made here"))
        return reasons
    try:
        for name in missing:
            at = Repository.of(name, registry)
            try:
                pull_image(client, at, name, lock.digests[name], cache=cache, progress=progress)
            except (ImageAbsent, RegistryUnavailable) as why:
                reasons[name] = str(why)
                progress(AssetProgress("refused", name, note=f"{why}: it is made here"))
    finally:
        client.close()
    return reasons


def pull_image(client: Registry, at: Repository, name: str, digest: str, *, cache: Cache, progress: Sink) -> None:
    """Bring one image into the cache. Absent, Away and ProvisionError as `pull` has them."""
    began = time.monotonic()
    with cache.working(f"official-{digest[7:23]}", subject=name, progress=progress) as area, translate_write_errors(cache.root):
        target = locate_pulled(digest, cache)
        if target.is_dir():  # another run brought it while we waited
            return
        progress(AssetProgress("downloading", name, note=f"from {at}"))
        try:
            manifest = client.manifest(at, digest)
        except ImageAbsent:
            now = client.digest_of(at, name.rpartition(":")[2])  # Absent, too, where there is no such image at all
            raise ProvisionError(
                f"pulling {name} from {at} failed: the lock names {digest}, the registry has {now}",
                where=str(LOCK),
                remedy=f"if upstream has republished it and you trust that: {command('images', 'lock')}; else --source build",
            ) from None
        manifest = select_platform(client, at, manifest)
        staged = PulledImage(area / "image")
        staged.folder.mkdir()
        (staged.folder / MANIFEST).write_bytes(manifest)
        for blob in staged.blobs:
            client.blob(at, blob["digest"], staged.file(blob["digest"]))
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.folder.rename(target)
    progress(AssetProgress("ready", name, elapsed=time.monotonic() - began, note=f"from {at}, {digest}"))


def select_platform(client: Registry, at: Repository, manifest: bytes) -> bytes:
    """Return an image's own manifest: that of this computer's processor, where an index was served. Absent when there is none for it."""
    facts = json.loads(manifest)
    if "manifests" not in facts:
        return manifest
    for each in facts["manifests"]:
        platform = each.get("platform") or {}
        if (platform.get("os"), platform.get("architecture")) == ("linux", detect_arch()):
            return client.manifest(at, each["digest"])
    raise ImageAbsent(f"{at} has no image for linux/{detect_arch()}")


def make_lock(images: Iterable[Image], *, registry: str | None = None, client: Registry | None = None) -> tuple[ImageLock, dict[str, str]]:
    """Return what a registry has by the tags of these images, as a lock, and why what is not in it is not."""
    client = client or Registry()
    digests, reasons = {}, {}
    try:
        for name in list_official_names(images):
            at = Repository.of(name, registry)
            try:
                digests[name] = client.digest_of(at, name.rpartition(":")[2])
            except (ImageAbsent, RegistryUnavailable) as why:
                reasons[name] = str(why)
    finally:
        client.close()
    return ImageLock(digests), reasons
