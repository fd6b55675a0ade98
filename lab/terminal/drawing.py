"""Drawing the progress of a command: a live tree on a terminal, one line a change elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from lab.steps import Step, StepObserver
from lab.terminal.text import Look, first_line

if TYPE_CHECKING:
    from lab.assets.progress import AssetProgress

SILENCE = 10.0
"""Seconds without a line after which plain output names the steps that are still running."""


class Drawing(Protocol):
    """**Protocol:** shows a run of steps while it happens; entered before the first event, left after the last."""

    @property
    def watcher(self) -> StepObserver: ...

    def progress(self, event: AssetProgress, /) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class Lines(StepObserver):
    """One line a change of state, for logs and pipes. After ten silent seconds one line says what is being waited for."""

    def __init__(
        self, write: Callable[[str], object], look: Look, *, title: str, now: Callable[[], float] = time.monotonic, silence: float = SILENCE
    ) -> None:
        self.write = write
        self.look = look
        self.title = title
        self.now = now
        self.silence = silence
        self.began = self.spoke = now()
        self.running: dict[str, float] = {}
        self.last: tuple[str, str] = ("", "")
        self.lock = threading.RLock()
        self.over = threading.Event()

    @property
    def watcher(self) -> StepObserver:
        return self

    def line(self, text: str) -> None:
        """Write one line with the time since the beginning before it."""
        with self.lock:
            self.spoke = self.now()
            self.write(f"{self.look.paint(f'+{self.spoke - self.began:.1f}s', 'dim')} {text}")

    def begins(self, step: Step, *, left: int) -> None:  # noqa: ARG002 (a Watcher)
        with self.lock:
            self.running[step.name] = self.now()

    def ends(self, step: Step, *, seconds: float, error: BaseException | None, left: int) -> None:
        with self.lock:
            self.running.pop(step.name, None)
            after = f"({seconds:.1f} s), {left} steps left" if left != 1 else f"({seconds:.1f} s), 1 step left"
            if error is None:
                self.line(f"{step.name} {self.look.paint('ready', 'green')} {after}")
            else:
                self.line(f"{step.name} {self.look.paint('failed', 'red')} {after}: {first_line(error)}")

    def progress(self, event: AssetProgress, /) -> None:
        """Write an event of bringing assets: each change of activity, and else one every three seconds."""
        with self.lock:
            here = (event.activity, event.subject)
            if here != self.last or self.now() - self.spoke >= 3.0:
                self.last = here
                self.line(str(event))

    def silent(self) -> None:
        """Print what the command waits for, if it has printed nothing for a while."""
        with self.lock:
            now = self.now()
            if self.running and now - self.spoke >= self.silence:
                longest = sorted(self.running.items(), key=lambda item: item[1])
                shown = ", ".join(f"{name} ({now - since:.0f} s)" for name, since in longest[:4])
                self.line(f"waiting for {shown}" + (f" and {len(longest) - 4} more" if len(longest) > 4 else ""))

    def __enter__(self) -> Self:
        if self.look.groups:
            self.write(f"::group::{self.title}")

        def watch() -> None:
            while not self.over.wait(1.0):
                self.silent()

        threading.Thread(target=watch, daemon=True, name="silence").start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.over.set()
        if self.look.groups:
            self.write("::endgroup::")


def open_drawing(title: str, *, stream: TextIO | None = None, env: Mapping[str, str] = os.environ) -> Drawing:
    """Return what fits a stream (stderr if none is named): the live tree on a terminal, lines elsewhere."""
    stream = stream or sys.stderr
    look = Look.of(stream, env)
    if look.live:
        from lab.terminal.live_tree import LiveTree  # noqa: PLC0415 (rich: 0.17 s of CPU, where something is drawn with it)

        return LiveTree(stream, look, title=title)
    return Lines(lambda text: print(text, file=stream, flush=True), look, title=title)
