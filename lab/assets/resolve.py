"""resolve: names in, paths out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from lab.assets import build
from lab.assets.cache import SOURCES, Cache, Source
from lab.assets.command import Runner, spawn
from lab.assets.pins import Catalogue, Pin
from lab.assets.progress import Progress, Sink, quiet
from lab.assets.refs import AssetRef
from lab.assets.sources import Errand
from lab.errors import NotPossible

Choice = Literal["auto", "download", "build", "bundle"]


def resolve(
    names: Iterable[AssetRef | str],
    *,
    source: Choice = "auto",
    offline: bool = False,
    bundle: Path | None = None,
    mirror: str | None = None,
    progress: Sink = quiet,
    cache: Cache | None = None,
    catalogue: Catalogue | None = None,
    run: Runner = spawn,
) -> Mapping[AssetRef, Path]:
    """See `lab.assets`."""
    catalogue = catalogue or Catalogue.load()
    refs = [AssetRef.parse(n) if isinstance(n, str) else n for n in names]
    pins = {ref: catalogue.pin(ref) for ref in refs}
    errand = Errand(cache or Cache(), progress, run, offline)
    allowed: Sequence[Source] = SOURCES if source == "auto" else (source,)
    errand.left = [pin for pin in dict.fromkeys(pins.values()) if errand.cache.find(pin, allowed) is None]
    refused = build.bring(errand.left, errand) if errand.left else {}
    if refused:
        raise NotPossible("some assets cannot be had here", detail="\n".join(f"{p.ref}: build: {why}" for p, why in refused.items()))
    found = {}
    for ref, pin in pins.items():
        entry = errand.cache.find(pin, allowed, use=False)
        assert entry is not None
        found[ref] = entry.path
    return found
