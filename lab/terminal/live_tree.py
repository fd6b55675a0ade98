"""The live step tree: clusters as branches, their steps with elapsed time, what is brought and what is left.

A branch that is through becomes one line, so that the tree of sixty members still fits a terminal. Rich redraws it eight
times a second from what the events left here; events come from any thread.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from rich.tree import Tree as RichTree

from lab.count import count
from lab.steps import Step, StepObserver
from lab.terminal.text import Look, first_line, seconds_text

if TYPE_CHECKING:
    from lab.assets.progress import AssetProgress


@dataclass
class TreeLeaf:
    """One step as it is seen: running until `seconds` is set, failed when it has a reason."""

    began: float
    seconds: float | None = None
    reason: str = ""


@dataclass
class Branch:
    """The steps of one cluster, in the order in which they began."""

    leaves: dict[str, TreeLeaf] = field(default_factory=dict)

    @property
    def through(self) -> bool:
        return bool(self.leaves) and all(leaf.seconds is not None and not leaf.reason for leaf in self.leaves.values())


class LiveTree(StepObserver):
    """Draws a run of steps as a live tree on a terminal; leaves its last state standing there."""

    def __init__(self, stream: TextIO, look: Look, *, title: str) -> None:
        self.title = title
        self.console = Console(file=stream, no_color=not look.color, highlight=False)
        self.began = time.monotonic()
        self.branches: dict[str, Branch] = {}
        self.finished = 0
        self.left: int | None = None
        self.bringing: dict[str, AssetProgress] = {}
        self.brought: set[str] = set()
        self.remaining: tuple[str, ...] = ()
        self.lock = threading.RLock()
        self.spinner = Spinner("dots")
        self.live = Live(get_renderable=self.picture, console=self.console, refresh_per_second=8, vertical_overflow="crop")

    @property
    def watcher(self) -> StepObserver:
        return self

    # -- events ------------------------------------------------------------------------------------------------------

    def begins(self, step: Step, *, left: int) -> None:
        with self.lock:
            self.left = left
            self.branches.setdefault(branch_of(step.name), Branch()).leaves[step.name] = TreeLeaf(time.monotonic())

    def ends(self, step: Step, *, seconds: float, error: BaseException | None, left: int) -> None:
        with self.lock:
            self.left = left
            self.finished += 1
            leaf = self.branches.setdefault(branch_of(step.name), Branch()).leaves.setdefault(
                step.name, TreeLeaf(time.monotonic() - seconds)
            )
            leaf.seconds = seconds
            leaf.reason = first_line(error) if error is not None else ""

    def progress(self, event: AssetProgress, /) -> None:
        with self.lock:
            self.remaining = event.left
            if event.activity == "ready":
                self.bringing.pop(event.subject, None)
                self.brought.add(event.subject)
            elif event.activity == "refused":
                self.bringing.pop(event.subject, None)
            else:
                self.bringing[event.subject] = event

    # -- drawing -----------------------------------------------------------------------------------------------------

    def picture(self) -> RichTree:
        """Return the tree as it is now."""
        with self.lock:
            tree = RichTree(self.headline(), guide_style="dim")
            if self.bringing:
                self.draw_assets(tree)
            room = max(8, self.console.size.height - 3)
            rows = sum(1 if branch.through else 1 + len(branch.leaves) for branch in self.branches.values())
            brief = rows > room  # then a branch shows only what runs or failed
            for name, branch in self.branches.items():
                self.draw_branch(tree, name, branch, brief=brief)
            return tree

    def headline(self) -> Text:
        """Return the first line: what, for how long, how much is left."""
        text = Text.assemble((self.title, "bold"), f"  {time.monotonic() - self.began:.1f} s")
        if self.left is not None:
            text.append(f" · {self.finished} of {count(self.finished + self.left, 'step')}")
        if self.brought and self.bringing:
            text.append(f" · {len(self.brought)} of {count(len(self.brought) + len(self.bringing) + len(self.remaining), 'asset')}")
        return text

    def draw_assets(self, tree: RichTree) -> None:
        """Add the assets that are being brought, and what is still to come."""
        node = tree.add(Text("assets", "bold"))
        for event in self.bringing.values():
            node.add(Text(str(event) if not event.left else str(event).rpartition("; then ")[0]))
        if self.remaining:
            node.add(Text(f"then {', '.join(self.remaining)}", "dim"))

    def draw_branch(self, tree: RichTree, name: str, branch: Branch, *, brief: bool) -> None:
        """Add one cluster: one line when it is through, its steps otherwise."""
        if branch.through:
            first = min(leaf.began for leaf in branch.leaves.values())
            last = max(leaf.began + (leaf.seconds or 0.0) for leaf in branch.leaves.values())
            tree.add(Text.assemble(("✓ ", "green"), name, (f"  {count(len(branch.leaves), 'step')}, {seconds_text(last - first)}", "dim")))
            return
        node = tree.add(Text(name, "bold"))
        for step, leaf in branch.leaves.items():
            if brief and leaf.seconds is not None and not leaf.reason:
                continue
            node.add(self.leaf_line(step.removeprefix(f"{name}/"), leaf))

    def leaf_line(self, name: str, leaf: TreeLeaf) -> Text | Table:
        """Return one step's line."""
        if leaf.seconds is None:
            line = Table.grid(padding=(0, 1))
            line.add_row(self.spinner, Text(name), Text(seconds_text(time.monotonic() - leaf.began), "dim"))
            return line
        if leaf.reason:
            return Text.assemble(("✗ ", "red"), name, (f"  {seconds_text(leaf.seconds)}  ", "dim"), (leaf.reason, "red"))
        return Text.assemble(("✓ ", "green"), name, (f"  {seconds_text(leaf.seconds)}", "dim"))

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.live.stop()


def branch_of(step: str) -> str:
    """Return the branch that a step hangs on: its cluster."""
    return step.partition("/")[0]
