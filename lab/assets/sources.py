"""What the three sources share: how they refuse, and what they are asked with."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.assets.cache import Cache
from lab.assets.command import Runner, spawn
from lab.assets.pins import Pin
from lab.assets.progress import Progress, Sink, quiet


class Refused(Exception):
    """A source cannot give a thing here and another may; its text is why. Nothing above `lab.assets` sees it."""


@dataclass
class Errand:
    """One call of `resolve`: where to put things, whom to tell, and what is still to be brought."""

    cache: Cache
    progress: Sink = quiet
    run: Runner = spawn
    offline: bool = False
    left: list[Pin] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def tell(self, event: Progress) -> None:
        self.progress(event)

    def left_but(self, doing: Iterable[Pin]) -> tuple[str, ...]:
        """What comes after `doing`, one name a product and version."""
        now = {p.name for p in doing}
        return tuple(dict.fromkeys(f"{p.product} {p.version}" for p in self.left if p.name not in now))
