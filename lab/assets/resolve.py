"""Supply: where one command or session brings assets and images from; names in, paths out.

Downloads are imported when something must be brought: a command of a lab that is up should not wait for an HTTP client to load.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.assets import build
from lab.assets.bundle import Bundle, write_bundle
from lab.assets.cache import SOURCES, Cache, CacheEntry, Source
from lab.assets.checkout import Checkout
from lab.assets.command import CommandRunner, spawn
from lab.assets.pins import Catalogue, Pin
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.assets.refs import AssetRef
from lab.assets.sources import AssetRequest, DownloadPatience
from lab.count import count
from lab.errors import NotPossible, UsageError
from lab.hints import command
from lab.supply_choices import SupplyChoices


@dataclass(frozen=True)
class Supply(SupplyChoices):
    """A user's choices with what carries them out: where assets come from and go to, once for all calls."""

    progress: Sink = ignore_progress
    cache: Cache = field(default_factory=Cache)
    catalogue: Catalogue | None = None
    run: CommandRunner = spawn
    patience: DownloadPatience = field(default_factory=DownloadPatience)

    @property
    def pins(self) -> Catalogue:
        """What can be asked for."""
        return self.catalogue or load_own_pins()

    @property
    def order(self) -> tuple[Source, ...]:
        """The sources that may be used, first choice first."""
        if self.source != "auto":
            return (self.source,)
        return ("bundle", "download", "build") if self.bundle else SOURCES

    @property
    def pulls(self) -> bool:
        """May images be pulled? They are something that is downloaded."""
        return "download" in self.order and not self.offline

    def bring_folders(self) -> None:
        """Bring what a bundle holds besides assets into the cache, official images among it."""
        if self.bundle and "bundle" in self.order:
            Bundle.open(self.bundle).bring_folders(self.cache, self.progress)

    def resolve(self, names: Iterable[AssetRef | str]) -> dict[AssetRef, Path]:
        """See `lab.assets`."""
        return {ref: entry.path for ref, entry in self.entries(names).items()}

    def entries(self, names: Iterable[AssetRef | str]) -> dict[AssetRef, CacheEntry]:
        """As `resolve`, with where each came from. A ref is returned as it was given; a text as it parses."""
        if self.source == "bundle" and self.bundle is None:
            raise UsageError("source bundle needs a bundle file", remedy="add --bundle FILE")
        pins = self.pinned([AssetRef.parse(n) if isinstance(n, str) else n for n in names])
        self.bring_folders()
        entries = {pin: self.cache.find(pin, self.order) for pin in pins.values()}
        missing = [pin for pin, entry in entries.items() if entry is None]
        if missing:
            for pin in missing:
                if why := self.cache.damaged(pin, self.order):
                    self.progress(AssetProgress("refused", f"{pin.name} {pin.version}", note=f"damaged in the cache, brought again: {why}"))
            self.bring(missing)
            entries |= {pin: self.cache.find(pin, self.order) for pin in missing}
        found = {ref: entry for ref, pin in pins.items() if (entry := entries[pin]) is not None}
        if len(found) < len(pins):
            gone = [str(ref) for ref in pins if ref not in found]
            raise NotPossible(
                f"reading the cache failed: {', '.join(gone)} was deleted meanwhile", where=str(self.cache.root), remedy="run again"
            )
        return found

    def pinned(self, refs: Sequence[AssetRef]) -> dict[AssetRef, Pin]:
        """The pins of `refs`; each checkout among them is looked at once."""
        seen: dict[Path, Checkout] = {}
        pins = {}
        for ref in refs:
            if ref.checkout is None:
                pins[ref] = self.pins.pin(ref)
                continue
            module = self.pins.pin(AssetRef(ref.name)).module
            at = seen.get(ref.checkout) or Checkout.of(ref.checkout, module=module, run=self.run)
            seen[ref.checkout] = at
            pins[ref] = self.pins.of_checkout(ref.name, at.directory, version=at.version, content=at.content)
        return pins

    def bring(self, pins: Sequence[Pin]) -> None:
        """Brings `pins` into the cache by the first source that works for each; NotPossible says what each reported of the rest."""
        errand = AssetRequest(self.cache, self.progress, self.run, self.offline, left=list(pins))
        for source in self.order:
            if not errand.left:
                return
            if source == "bundle" and self.bundle:
                Bundle.open(self.bundle).bring(list(errand.left), errand)
            elif source == "download" and not self.offline:
                from lab.assets.download import Downloads  # noqa: PLC0415 (0.4 s of CPU: an HTTP client)

                wanted = [pin for pin in errand.left if not pin.checkout]
                try:
                    downloads = Downloads(errand, mirror=self.mirror, patience=self.patience)
                except NotPossible as error:  # no client for this environment; a build may need none
                    for pin in wanted:
                        errand.refuse([pin], "download", f"{error.what} ({error.where}); {error.remedy}")
                else:
                    downloads.bring(wanted)
            elif source == "build":
                build.build_assets([pin for pin in errand.left if pin.checkout or not self.offline], errand)
            errand.arrived(source)
        if errand.left:
            raise self.cannot(errand)

    def cannot(self, errand: AssetRequest) -> NotPossible:
        """The error for what no source could bring: everything at once, and what each source grouped."""
        if self.offline:
            for pin in errand.left:
                if why := self.cache.damaged(pin, self.order):
                    errand.refusals.setdefault(pin, [f"it is damaged in the cache: {why}", "no bundle is given to bring it again"])
                errand.refusals.setdefault(pin, ["it is not in the cache, and no bundle is given"])
        grouped: dict[tuple[str, ...], list[Pin]] = {}
        for pin in errand.left:
            grouped.setdefault(tuple(errand.refusals.get(pin, ())), []).append(pin)
        detail = [
            ", ".join(f"{p.name}@{p.version}" for p in pins) + "".join(f"\n    {why}" for why in whys) for whys, pins in grouped.items()
        ]
        names = " ".join(f"{p.name}@{p.version}" for p in errand.left)
        how = "offline" if self.offline else "by " + " or ".join(s for s in self.order if s != "bundle" or self.bundle)
        return NotPossible(
            f"bringing {count(len(errand.left), 'asset')} {how} failed",
            where=str(self.bundle) if self.bundle else None,
            detail="\n".join(detail),
            remedy=f"on a connected computer: {command('bundle', 'FILE', *names.split())}"
            if self.offline or self.bundle
            else "install Go, or let this computer reach the release files (--mirror URL), or bring a bundle (--bundle FILE)",
        )

    def pack(self, names: Iterable[AssetRef | str], target: Path, *, folders: Sequence[Path] = ()) -> Bundle:
        """Writes a bundle with `names`, which are brought first where they are missing, and with other folders of the cache."""
        entries = self.entries(names)
        return write_bundle(entries.values(), target, arch=self.pins.arch, folders=folders, progress=self.progress)


@functools.cache
def load_own_pins() -> Catalogue:
    """The lab's own pins."""
    return Catalogue.load()
