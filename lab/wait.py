"""Polling, in one place: nothing else in this project sleeps.

States that can be watched are watched (`lab.api.Api.watch`, the supervisor's `exited`); all others are polled
here, quickly at first (a component that is ready after 30 ms should not cost 500) and then more slowly.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from lab.errors import NotReady

T = TypeVar("T")


CANCELLED = threading.Event()
"""Set when this process is interrupted: every wait in every thread then ends at once with Cancelled."""


class Cancelled(BaseException):
    """The process was interrupted while it waited. Not an Exception, so that no handler of failures catches it."""


def watch_interrupt() -> Callable[[], bool]:
    """Return a function that says whether this process was interrupted since.

    Work that begins after an interrupt, to save evidence and clean up, is not ended by it.
    """
    heeding = not CANCELLED.is_set()
    return lambda: heeding and CANCELLED.is_set()


class NotYet(Exception):
    """Raised by a probe that has to be called again; its text is the state: "3 of 10 pods on member2"."""


class Clock(Protocol):
    """**Protocol:** where time comes from, so that unit tests need none."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The monotonic clock of this computer."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if CANCELLED.wait(seconds):
            raise Cancelled


SYSTEM = SystemClock()


def until(
    probe: Callable[[], T],
    *,
    what: str,
    within: float,
    every: float = 0.25,
    first: float = 0.02,
    clock: Clock = SYSTEM,
    remedy: str | None = None,
) -> T:
    """Call `probe` until it returns, and return its result.

    `probe` raises NotYet to be called again; any other error passes through at once. It is called again after `first` seconds,
    then at intervals that double up to `every`. After `within` seconds NotReady carries the last NotYet and for how long it
    had not changed; `probe` is never called after the deadline, so a late success is a failure.
    """
    began = clock.now()
    deadline = began + within
    pause = first
    last, since = "nothing yet", began
    while True:
        try:
            return probe()
        except NotYet as seen:
            now = clock.now()
            if str(seen) != last:
                last, since = str(seen), now
            if now + pause > deadline:
                raise NotReady(what, last=last, within=within, unchanged_for=now - since, remedy=remedy) from seen
        clock.sleep(pause)
        pause = min(pause * 2, every)
