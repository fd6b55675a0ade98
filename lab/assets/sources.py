"""What the three sources share: how they refuse, and the errand they are sent on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.assets.cache import Cache, Source
from lab.assets.command import CommandRunner, spawn
from lab.assets.pins import Pin
from lab.assets.progress import AssetProgress, Sink, ignore_progress


class SourceRefused(Exception):
    """A source cannot give a thing here and another may; its text is why. Nothing above `lab.assets` sees it."""


@dataclass(frozen=True)
class DownloadPatience:
    """How long a server is borne with, in seconds; `attempts` in all for what may pass (a cut line, a 5xx).

    `pace` is the least average of bytes a second, judged after `grace`.
    """

    connect: float = 8
    silence: float = 20
    attempts: int = 3
    pace: float = 20_000
    grace: float = 30


@dataclass
class AssetRequest:
    """The state of one call of `resolve`: the work area, the progress sink, what is still missing, and the refusals of each source."""

    cache: Cache
    progress: Sink = ignore_progress
    run: CommandRunner = spawn
    offline: bool = False
    left: list[Pin] = field(default_factory=list)
    refusals: dict[Pin, list[str]] = field(default_factory=dict)  # "download: HTTP 404 …", in the order they were asked

    def tell(self, event: AssetProgress) -> None:
        self.progress(event)

    def left_but(self, doing: Iterable[Pin]) -> tuple[str, ...]:
        """What comes after `doing`, by product; of a product that is being done, by name."""
        now = set(doing)
        products = {(p.product, p.version) for p in now}
        left = (p for p in list(self.left) if p not in now)
        return tuple(dict.fromkeys(p.name if (p.product, p.version) in products else f"{p.product} {p.version}" for p in left))

    def refuse(self, pins: Iterable[Pin], source: Source, why: str) -> None:
        """Record why `source` cannot supply `pins`, for the error when no source can."""
        pins = list(pins)
        for pin in pins:
            self.refusals.setdefault(pin, []).append(f"{source}: {why}")
        self.tell(AssetProgress("refused", name_pins(pins), note=f"{source}: {why}"))

    def arrived(self, source: Source) -> None:
        """Remove what `source` has brought from the list, and report it with the reasons why no earlier source did."""
        came: dict[tuple[str, str, str], list[Pin]] = {}
        for pin in list(self.left):
            if self.cache.find(pin, (source,)) is not None:
                self.left.remove(pin)
                why = "".join(f"; not {refusal}" for refusal in self.refusals.get(pin, ()))
                came.setdefault((pin.product, pin.version, why), []).append(pin)
        for (_, _, why), pins in came.items():
            self.tell(AssetProgress("ready", name_pins(pins), note=f"from {source}{why}", left=self.left_but([])))


def name_pins(pins: Iterable[Pin]) -> str:
    """Return a short name for several things of one version: "alpha, beta 1.2.3"."""
    pins = list(pins)
    return f"{', '.join(p.name for p in pins)} {pins[0].version}"
