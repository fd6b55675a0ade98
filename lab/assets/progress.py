"""What is being done and what is left, as events; drawing them is the caller's.

One event says one thing about one subject. `paced` thins them for a plain terminal: a line when the activity changes, then one every
few seconds at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Activity = Literal[
    "waiting",  # another run brings the same thing
    "downloading",  # bytes of a release file
    "fetching",  # Go modules; how many there will be is not known
    "compiling",  # packages
    "linking",  # programs
    "checking",
    "unpacking",  # from a bundle
    "packing",  # into a bundle
    "ready",  # a thing is in the cache; note says from which source and why no earlier one
    "refused",  # a source could not give a thing; note says why
]


@dataclass(frozen=True)
class AssetProgress:
    """One event. `total` is None while it is not known; `left` names what is still to be brought after this."""

    activity: Activity
    subject: str
    done: int = 0
    total: int | None = None
    unit: str = ""
    elapsed: float = 0.0
    note: str = ""
    left: tuple[str, ...] = ()

    @property
    def eta(self) -> float | None:
        """Seconds until this activity ends, judged by its own pace; None while too little is done to say."""
        if not self.total or self.elapsed < 3 or self.done * 50 < self.total:
            return None
        return self.elapsed / self.done * (self.total - self.done)

    def __str__(self) -> str:
        parts = [f"{self.subject}: {self.activity}"]
        if self.unit == "bytes":
            parts[0] += f" {self.done / 2**20:.1f}" + (f" of {self.total / 2**20:.1f} MiB" if self.total else " MiB")
        elif self.unit:
            parts[0] += f" {self.done}" + (f" of {self.total} {self.unit}" if self.total is not None else f" {self.unit}")
        if self.elapsed >= 1:
            parts.append(format_clock(self.elapsed))
        if self.eta is not None:
            parts.append(f"about {format_clock(self.eta)} left")
        if self.note:
            parts.append(self.note)
        if self.left:
            parts.append(f"then {', '.join(self.left)}")
        return "; ".join(parts)


class Sink(Protocol):
    """**Protocol:** takes events. It may be called from several threads and must not raise."""

    def __call__(self, event: AssetProgress, /) -> None: ...


def ignore_progress(event: AssetProgress, /) -> None:
    """The null sink."""


def format_clock(seconds: float) -> str:
    """Seconds as people read them: 0:42, 12:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def pace_lines(write: Callable[[str], object], *, every: float = 3.0, now: Callable[[], float] = time.monotonic) -> Sink:
    """A sink that writes a line at each change of activity or subject, and else at most one every `every` seconds."""
    last: tuple[str, str] = ("", "")
    written = 0.0

    def sink(event: AssetProgress, /) -> None:
        nonlocal last, written
        here = (event.activity, event.subject)
        if here != last or event.done == event.total or now() - written >= every:
            last, written = here, now()
            write(str(event))

    return sink
