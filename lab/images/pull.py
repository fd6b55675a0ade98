"""Bring official images into the cache by their digests, and say what digests a registry has now."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from lab.assets.cache import Cache, writing
from lab.assets.pins import this_arch
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.errors import NotPossible, ProvisionError
from lab.hints import command
from lab.images.image import Image
from lab.images.official import LOCK, MANIFEST, Lock, Pulled, here, names, place
from lab.images.registry import Absent, Away, Place, Registry


def pull(
    images: Iterable[Image],
    *,
    lock: Lock | None = None,
    registry: str | None = None,
    cache: Cache | None = None,
    progress: Sink = ignore_progress,
    client: Registry | None = None,
) -> dict[str, str]:
    """Bring the official images that the lock names into the cache; `registry` (host[:port][/prefix]) stands for upstream's.

    Return why those that it names did not come, by name: they are made here. ProvisionError when a registry has another image by the name
    than the lock says, or serves what is not of its digest.
    """
    lock, cache = lock or Lock.read(), cache or Cache()
    wanted = [name for name in names(images) if name in lock.digests]
    there = here((Image(name, official=name) for name in wanted), lock=lock, cache=cache)
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
            at = Place.of(name, registry)
            try:
                bring(client, at, name, lock.digests[name], cache=cache, progress=progress)
            except (Absent, Away) as why:
                reasons[name] = str(why)
                progress(AssetProgress("refused", name, note=f"{why}: it is made here"))
    finally:
        client.close()
    return reasons


def bring(client: Registry, at: Place, name: str, digest: str, *, cache: Cache, progress: Sink) -> None:
    """Bring one image into the cache. Absent, Away and ProvisionError as `pull` has them."""
    began = time.monotonic()
    with cache.working(f"official-{digest[7:23]}", subject=name, progress=progress) as area, writing(cache.root):
        target = place(digest, cache)
        if target.is_dir():  # another run brought it while we waited
            return
        progress(AssetProgress("downloading", name, note=f"from {at}"))
        try:
            manifest = client.manifest(at, digest)
        except Absent:
            now = client.digest_of(at, name.rpartition(":")[2])  # Absent, too, where there is no such image at all
            raise ProvisionError(
                f"{name} is not the image at {at} that the lock names: expected {digest}, and it has {now}",
                where=str(LOCK),
                remedy=f"if upstream has published it anew and you trust that: {command('images', 'lock')}; else --source build",
            ) from None
        manifest = of_platform(client, at, manifest)
        staged = Pulled(area / "image")
        staged.folder.mkdir()
        (staged.folder / MANIFEST).write_bytes(manifest)
        for blob in staged.blobs:
            client.blob(at, blob["digest"], staged.file(blob["digest"]))
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.folder.rename(target)
    progress(AssetProgress("ready", name, elapsed=time.monotonic() - began, note=f"from {at}, {digest}"))


def of_platform(client: Registry, at: Place, manifest: bytes) -> bytes:
    """Return an image's own manifest: that of this computer's processor, where an index was served. Absent when there is none for it."""
    facts = json.loads(manifest)
    if "manifests" not in facts:
        return manifest
    for each in facts["manifests"]:
        platform = each.get("platform") or {}
        if (platform.get("os"), platform.get("architecture")) == ("linux", this_arch()):
            return client.manifest(at, each["digest"])
    raise Absent(f"{at} has no image for linux/{this_arch()}")


def make_lock(images: Iterable[Image], *, registry: str | None = None, client: Registry | None = None) -> tuple[Lock, dict[str, str]]:
    """Return what a registry has by the tags of these images, as a lock, and why what is not in it is not."""
    client = client or Registry()
    digests, reasons = {}, {}
    try:
        for name in names(images):
            at = Place.of(name, registry)
            try:
                digests[name] = client.digest_of(at, name.rpartition(":")[2])
            except (Absent, Away) as why:
                reasons[name] = str(why)
    finally:
        client.close()
    return Lock(digests), reasons
