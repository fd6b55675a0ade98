"""A terminal of a size, and what is drawn on it."""

from __future__ import annotations

import io
import re

from lab.steps import Step
from lab.terminal.live_tree import LiveTree


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def step(name: str) -> Step:
    return Step(name, lambda: None)


def drawn(tree: LiveTree, *, height: int = 40) -> str:
    """The tree as it would be on a terminal of that height."""
    tree.console.size = (100, height)
    with tree.console.capture() as capture:
        tree.console.print(tree.picture())
    return re.sub("\033\\[[0-9;]*m", "", capture.get())
