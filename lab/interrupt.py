"""SIGINT and SIGTERM as one exception in the main thread; a second signal ends the process at once."""

from __future__ import annotations

import os
import signal
from types import FrameType


class Interrupted(BaseException):
    """The process was asked to end. Not an Exception: nothing may take it for a failure and go on."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def exit_code(self) -> int:
        """As a shell tells it: 130 for SIGINT, 143 for SIGTERM."""
        return 128 + self.number


def install() -> None:
    """Have SIGINT and SIGTERM raise Interrupted in the main thread, once; the second one ends this process without another word.

    What it leaves running then is the supervisor's to end, when its lease is up.
    """
    seen: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        if seen:
            os._exit(128 + number)
        seen.append(number)
        raise Interrupted(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # a background job of a shell ignores SIGINT: leave it so
            signal.signal(number, handle)
