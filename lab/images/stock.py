"""List, build and prune the images of this computer: data for `lab images`; nothing prints."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import docker
from lab.assets.cache import Cache, translate_write_errors
from lab.assets.progress import Sink, ignore_progress
from lab.computer import Computer, Probe
from lab.count import count
from lab.errors import UsageError
from lab.images import applications, node, official
from lab.images.image import Image, Packages
from lab.images.store import Archive, ArchiveStore, adopt_archive
from lab.machines.machine import Machine
from lab.spec import LabSpec


@dataclass(frozen=True)
class NodeImage:
    """A node image in Docker; `used`: a container is made of it."""

    name: str
    id: str
    size: int
    used: bool


@dataclass(frozen=True)
class PrunedImages:
    """What `prune` removed, what it would have but for its use, and the bytes that became free."""

    removed: tuple[str, ...]
    in_use: tuple[str, ...]
    freed: int


def list_node_images(computer: Probe | None = None) -> list[NodeImage]:
    """Return the node images that were made here; none when no engine answers."""
    computer = computer or Computer()
    repository = node.REPOSITORY.removeprefix("docker.io/")
    answer = computer.ask(["docker", "image", "ls", "--no-trunc", "--format", "{{json .}}", repository])
    if not answer.ok:
        return []
    users = computer.ask(["docker", "ps", "--all", "--no-trunc", "--format", "{{.Image}}"]).text.split()
    rows = [json.loads(line) for line in answer.text.splitlines() if line.startswith("{")]
    found = []
    for row in rows:
        name = f"{row['Repository']}:{row['Tag']}"
        size = computer.ask(["docker", "image", "inspect", "--format", "{{.Size}}", name]).line
        found.append(NodeImage(name, row["ID"].removeprefix("sha256:")[:12], int(size or 0), name in users))
    return found


def build_all(
    engine: Machine,
    lab: LabSpec,
    images: Mapping[str, Sequence[Image]],
    paths: Mapping[str, Path],
    *,
    cache: Cache | None = None,
    progress: Sink = ignore_progress,
) -> Iterator[tuple[str, float]]:
    """Make the node image of each version of a lab, the test applications, and `images`, those of Karmada by cluster.

    Return what was made and the seconds it took.
    """
    cache = cache or Cache()
    store, bounded = ArchiveStore(cache, progress), docker.lacks_sys_resource(Computer().read("/proc/self/status") or "")
    made = []
    for version in sorted({cluster.kubernetes for cluster in lab.made}):
        began = time.monotonic()
        name = node.build_node_image(engine, version, paths, bounded=bounded, cache=cache, progress=progress)
        made.append((name, time.monotonic() - began))
    for what, group in [("test applications", applications.ALL), *((f"Karmada on {name}", group) for name, group in images.items())]:
        if group:
            began = time.monotonic()
            archive = store.archived(group, paths)
            made.append((f"{what} ({archive.key}, {count(len(group), 'image')})", time.monotonic() - began))
    return iter(made)


def list_package_sets(lab: LabSpec, images: Mapping[str, Sequence[Image]]) -> set[Packages]:
    """Return the sets of Debian packages that the images of a lab are made of, the node images among them."""
    groups = [
        node.PACKAGES,
        *(image.root for version in {each.kubernetes for each in lab.made} for image in node.list_contents(version)),
    ]
    groups += [image.root for group in (applications.ALL, *images.values()) for image in group]
    return {root for root in groups if root}


def find_archive(text: str, *, cache: Cache | None = None) -> Archive:
    """Return an archive by its key, or a foreign one by its path. UsageError lists what there is."""
    store = ArchiveStore(cache or Cache())
    if "/" in text or text.endswith(".tar"):
        return adopt_archive(store, Path(text))
    matching = [archive for archive in store.archives() if archive.key.startswith(text)]
    if len(matching) == 1:
        return matching[0]
    known = ", ".join(archive.key for archive in store.archives()) or "none"
    raise UsageError(f"{'several archives begin' if matching else 'no archive begins'} with {text!r}", remedy=f"there are: {known}")


def prune_images(
    *,
    keys: Collection[str] = (),
    everything: bool = False,
    unused_for: float = 0.0,
    dry_run: bool = False,
    cache: Cache | None = None,
    computer: Probe | None = None,
) -> PrunedImages:
    """Free archives and official images that were not asked for so long, and node images that no container is made of.

    With `keys`, those instead.
    """
    cache, computer = cache or Cache(), computer or Computer()
    removed, in_use, freed = [], [], 0

    def old(used: float) -> bool:
        return everything or time.time() - used >= unused_for

    folders = [
        (f"{archive.key} ({count(len(archive.images), 'image')})", archive.size, archive.path.parent)
        for archive in ArchiveStore(cache).archives()
        if (archive.key in keys if keys else old(archive.used))
    ]
    folders += [
        (f"{each.folder.name} (official)", each.size, each.folder) for each in official.list_pulled(cache) if not keys and old(each.used)
    ]
    for name, size, folder in folders:
        removed.append(name)
        freed += size
        if not dry_run:
            with translate_write_errors(cache.root):
                shutil.rmtree(folder)
    for image in list_node_images(computer):
        if keys and image.id not in keys and image.name not in keys:
            continue
        if image.used:
            in_use.append(image.name)
            continue
        removed.append(image.name)
        freed += image.size
        if not dry_run:
            computer.ask(["docker", "image", "rm", image.name], within=120.0)
    return PrunedImages(tuple(removed), tuple(in_use), freed)
