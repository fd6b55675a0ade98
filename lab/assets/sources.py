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
    """One call of `resolve`: where to put things, whom to tell, what is still to be brought and who could not bring it."""

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
        """Notes that `source` cannot give `pins`, so that a total failure can say what each said."""
        pins = list(pins)
        for pin in pins:
            self.refusals.setdefault(pin, []).append(f"{source}: {why}")
        self.tell(AssetProgress("refused", name_pins(pins), note=f"{source}: {why}"))

    def arrived(self, source: Source) -> None:
        """Strikes off what is now in the cache from `source`, and says so with the reasons why it was not an earlier one."""
        came: dict[tuple[str, str, str], list[Pin]] = {}
        for pin in list(self.left):
            if self.cache.find(pin, (source,)) is not None:
                self.left.remove(pin)
                why = "".join(f"; not {said}" for said in self.refusals.get(pin, ()))
                came.setdefault((pin.product, pin.version, why), []).append(pin)
        for (_, _, why), pins in came.items():
            self.tell(AssetProgress("ready", name_pins(pins), note=f"from {source}{why}", left=self.left_but([])))


def name_pins(pins: Iterable[Pin]) -> str:
    """Several things of one version in a few words: "alpha, beta 1.2.3"."""
    pins = list(pins)
    return f"{', '.join(p.name for p in pins)} {pins[0].version}"
