"""What the cache holds: listed, verified, pruned. All of it is data for `lab assets`; nothing prints.

An entry is in use while a process runs it or has it among its arguments. Such an entry is never pruned: a lab must be able to start
its component again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.assets.cache import Cache, CacheEntry, translate_write_errors
from lab.assets.pins import Catalogue
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.errors import NotPossible

KEPT = 3  # of one checkout


@dataclass(frozen=True)
class StockedAsset:
    """An entry, and what is known of its use. `current` tells whether a pin of the catalogue still asks for it.

    `used_by` names processes that run or read it; `wrong` is why it is damaged, "" when nothing was found (see `verify`).
    """

    entry: CacheEntry
    used: float
    used_by: tuple[str, ...]
    current: bool
    wrong: str = ""

    @property
    def size(self) -> int:
        return self.entry.size


@dataclass(frozen=True)
class PrunedAssets:
    """What `prune` removed, what it would have but for its use, and the bytes that became free."""

    removed: tuple[StockedAsset, ...]
    in_use: tuple[StockedAsset, ...]
    freed: int


def list_assets(cache: Cache, catalogue: Catalogue) -> list[StockedAsset]:
    """Everything in the cache. Sizes are compared, contents are not."""
    running = find_users(cache)
    keys = {(pin.name, pin.key) for pin in catalogue}
    return [StockedAsset(e, e.used, tuple(running.get(e.directory, ())), (e.name, e.key) in keys, e.wrong_size()) for e in cache.entries()]


def verify_assets(cache: Cache, catalogue: Catalogue, *, progress: Sink = ignore_progress) -> list[StockedAsset]:
    """As `stock`, with every byte hashed: `wrong` says what is not as it was brought."""
    found = list_assets(cache, catalogue)
    total, done, began = sum(s.size for s in found), 0, time.monotonic()
    checked = []
    for each in found:
        progress(AssetProgress("checking", str(cache.root), done, total, "bytes", time.monotonic() - began, note=each.entry.name))
        checked.append(StockedAsset(each.entry, each.used, each.used_by, each.current, each.entry.wrong_content()))
        done += each.size
    return checked


def prune_assets(
    cache: Cache,
    catalogue: Catalogue,
    *,
    names: Collection[str] = (),
    everything: bool = False,
    unused_for: float | None = None,
    dry_run: bool = False,
) -> PrunedAssets:
    """Frees what is not needed and says what: damaged entries, those of pins that are gone and of checkouts.

    With `names`, all of those instead; with `unused_for`, all that was not resolved for so many seconds; with `everything`, all.
    Never what a process runs. With `dry_run` nothing is removed. Work that an interrupted run left is freed too.
    """
    doomed = []
    for each in list_assets(cache, catalogue):
        if names:
            goes = each.entry.name in names
        elif unused_for is not None:
            goes = time.time() - each.used >= unused_for
        else:
            goes = everything or bool(each.wrong) or not each.current
        if goes:
            doomed.append(each)
    in_use = tuple(each for each in doomed if each.used_by)
    removed = tuple(each for each in doomed if not each.used_by)
    freed = sum(each.size for each in removed)
    if not dry_run:
        with translate_write_errors(cache.root):
            for each in removed:
                remove_entry(cache, each.entry.directory)
            freed += sum(clear_work_area(cache, area) for area in list_work_areas(cache))
    return PrunedAssets(removed, in_use, freed)


def remove_old_builds(cache: Cache, name: str, origin: str) -> None:
    """Frees all but the newest KEPT builds of `name` from one `origin`: who edits and runs all day does not fill the disk."""
    builds = sorted((e for e in cache.entries() if (e.name, e.origin) == (name, origin)), key=lambda e: e.created)
    if old := builds[:-KEPT]:
        running = find_users(cache)
        for entry in old:
            if entry.directory not in running:
                remove_entry(cache, entry.directory)


def remove_entry(cache: Cache, directory: Path) -> None:
    """Takes an entry out of sight at once, then deletes it: an interruption leaves no half entry."""
    away = cache.root / "work" / f"pruned-{directory.parent.name}-{directory.name}"
    away.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(away, ignore_errors=True)
    directory.rename(away)
    shutil.rmtree(away)


def list_work_areas(cache: Cache) -> Iterator[Path]:
    """Work directories that are there, in use or not."""
    yield from sorted((cache.root / "work").glob("*"))


def clear_work_area(cache: Cache, area: Path) -> int:
    """Deletes a work directory unless a run is in it; returns the bytes that freed."""
    try:
        with cache.alone(area.name):
            size = sum(p.stat().st_size for p in area.rglob("*") if p.is_file() and not p.is_symlink())
            shutil.rmtree(area, ignore_errors=True)
            return size
    except NotPossible:
        return 0


def find_users(cache: Cache) -> dict[Path, list[str]]:
    """Processes that run or were given something of the cache: entry directory to "etcd (pid 123)"."""
    import psutil  # noqa: PLC0415 (0.06 s of CPU; only pruning needs it)

    here = f"{cache.root}/assets/"
    found: dict[Path, list[str]] = {}
    for process in psutil.process_iter(["exe", "cmdline", "pid", "name"]):
        args = [process.info["exe"] or "", *(process.info["cmdline"] or ())]
        paths = {word[word.index(here) :].removeprefix(here) for word in args if here in word}
        for entry in {Path(here, *Path(path).parts[:2]) for path in paths}:
            found.setdefault(entry, []).append(f"{process.info['name']} (pid {process.info['pid']})")
    return found
