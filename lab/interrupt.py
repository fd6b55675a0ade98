"""SIGINT, SIGTERM and SIGHUP as one exception in the main thread; a second signal ends the process at once, with a message."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

from lab.hints import command


class Interrupted(BaseException):
    """The process was asked to end. Not an Exception: nothing may take it for a failure and go on."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def exit_code(self) -> int:
        """Return the exit code as a shell reports it: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP."""
        return 128 + self.number


HELD: dict[str, float] = {}
"""The labs that this process holds, by name, with the lease of their supervisors (s)."""


def install() -> None:
    """Have SIGINT, SIGTERM and SIGHUP raise Interrupted in the main thread, once; the second one ends this process after one sentence.

    Programs that still run then are ended by their supervisor when its lease expires.
    """
    seen: list[int] = []
    terminals = [stream for stream in (1, 2) if os.isatty(stream)]

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            mute_dead_streams(terminals)
        if seen:
            with suppress(OSError):
                os.write(2, f"\n{describe_end(number)}\n".encode())
            os._exit(128 + number)
        seen.append(number)
        raise Interrupted(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # a background job of a shell ignores SIGINT, nohup SIGHUP: leave it so
            signal.signal(number, handle)


def describe_end(number: int) -> str:
    """Return the message of a second signal: what still runs, when its supervisor ends it, and the command that ends it now."""
    ended = f"interrupted again by {signal.Signals(number).name}: ended at once"
    if not HELD:
        return f"{ended}; it held no lab"
    left = "; ".join(f"of lab {lab} within {lease:g} s; `{command('down', lab=lab)}` does it now" for lab, lease in HELD.items())
    return f"{ended}; the lease of its supervisor ends the programs {left}"


def mute_dead_streams(terminals: list[int]) -> None:
    """Redirect standard streams of a closed terminal to /dev/null: a failing write there would hide the exit code."""
    for stream in terminals:
        if not os.isatty(stream):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream)
            os.close(null)
