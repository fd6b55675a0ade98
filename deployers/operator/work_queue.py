"""Objects to look at: each at most once at a time, in the order in which they are due."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Key = tuple[str, str]
"""Namespace and name of an object."""
FIRST, LONGEST = 1.0, 300.0
"""Seconds of the first and of the longest pause after failures."""


def backoff(failures: int, *, spread: Callable[[], float] = random.random) -> float:
    """Return the pause after so many failures in a row: it doubles up to five minutes, and varies so that objects do not keep step."""
    return min(LONGEST, FIRST * 2.0 ** max(0, failures - 1)) * (0.8 + 0.4 * spread())


@dataclass
class WorkQueue:
    """A queue for several threads."""

    due: dict[Key, float] = field(default_factory=dict)
    busy: set[Key] = field(default_factory=set)
    changed: threading.Condition = field(default_factory=threading.Condition)
    clock: Callable[[], float] = time.monotonic

    def add(self, key: Key, *, after: float = 0.0) -> None:
        """Have a key looked at after so many seconds, or earlier where it is due earlier."""
        with self.changed:
            at = self.clock() + after
            if key not in self.due or at < self.due[key]:
                self.due[key] = at
                self.changed.notify()

    def take(self, within: float) -> Key | None:
        """Return the key that is due first and not taken; None when none becomes due within so many seconds. `done` gives it back."""
        deadline = self.clock() + within
        with self.changed:
            while True:
                now = self.clock()
                free = [(at, key) for key, at in self.due.items() if key not in self.busy]
                at, key = min(free, default=(deadline, None))
                if key is not None and at <= now:
                    del self.due[key]
                    self.busy.add(key)
                    return key
                if now >= deadline:
                    return None
                self.changed.wait(max(0.0, min(at, deadline) - now))

    def done(self, key: Key) -> None:
        """Give a key back; it is looked at again if it was added meanwhile."""
        with self.changed:
            self.busy.discard(key)
            self.changed.notify()
