"""Polling, in one place: nothing else in this project sleeps.

States that can be watched are watched (`lab.api.Api.watch`, the supervisor's `exited`); all others are polled
here, quickly at first (a component that is ready after 30 ms should not cost 500) and then more slowly.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from lab.errors import NotReady, WaitBlocked

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


STALL = 5.0
"""Seconds without a change after which a wait asks whether what it waits for can still come."""


class StallExaminer(Protocol):
    """**Protocol:** finds out why a wait makes no progress."""

    def find_block(self) -> str:
        """Return in one sentence why nothing that is waited for can come any more; "" when it may still come."""
        ...


EXAMINERS: list[StallExaminer] = []
"""Asked by every wait of this process that stalls, as CANCELLED is."""


@contextmanager
def examine_stalls(examiner: StallExaminer) -> Iterator[None]:
    """Let an examiner end the waits of this process early while the body runs."""
    EXAMINERS.append(examiner)
    try:
        yield
    finally:
        EXAMINERS.remove(examiner)


def limit_watch(left: float) -> float:
    """Return for how many of `left` seconds to watch before `require_possible` is asked again: all of them while no examiner listens."""
    return min(left, STALL) if EXAMINERS else left


def require_possible(what: str, *, last: str, waited: float, unchanged_for: float) -> None:
    """Return if a wait may still end well. WaitBlocked carries why it cannot, when an examiner knows, after a stall of 5 s."""
    if unchanged_for < STALL:
        return
    for examiner in tuple(EXAMINERS):
        if cause := examiner.find_block():
            raise WaitBlocked(cause, what=what, last=last, waited=waited)


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
    had not changed; `probe` is never called after the deadline, so a late success is a failure. WaitBlocked ends a wait early when an
    examiner (`examine_stalls`) knows why nothing can come any more.
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
            require_possible(what, last=last, waited=now - began, unchanged_for=now - since)
        clock.sleep(pause)
        pause = min(pause * 2, every)
