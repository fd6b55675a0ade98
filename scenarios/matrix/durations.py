"""Measured durations of cells, and shards of about equal length.

`scenarios/durations.json` keeps the last measurements of each cell. A cell without any is estimated by the median of the most similar
cells. `learn` adds measurements from result folders (`cell.json`, written by `lab report collect`), only of cells that ran to their end.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lab.errors import UsageError
from lab.run import write_json
from scenarios.matrix.cells import PARTS, MatrixCell

FILE = Path(__file__).parent.parent / "durations.json"
SCHEMA = 1
KEPT = 5
"""Number of measurements to keep of one cell: enough that one slow night does not move the median."""

LIKE = (("provider", "suite", "deployer"), ("provider", "suite"), ("suite",), ("provider",), ())
"""Parts that cells of similar duration share, the most similar first."""

GUESS = 600.0
"""Seconds to expect of a cell when no cell was ever measured."""


@dataclass(frozen=True)
class Durations:
    """Seconds that cells took, the newest last."""

    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path = FILE) -> Durations:
        """Read the file; a missing one holds no measurements. UsageError when it is invalid."""
        try:
            document = json.loads(path.read_bytes())
            samples = {str(name): tuple(float(each) for each in seconds) for name, seconds in document["cells"].items()}
            schema = document["schema"]
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"reading the durations failed: {error}", where=str(path), remedy="restore the file, or remove it to start over"
            ) from error
        if schema != SCHEMA:
            raise UsageError(f"reading the durations failed: schema {schema} is not {SCHEMA}", where=str(path))
        return cls(samples)

    def save(self, path: Path = FILE) -> None:
        """Write the file."""
        write_json(path, {"schema": SCHEMA, "cells": {name: list(self.samples[name]) for name in sorted(self.samples)}})

    def of(self, cell: MatrixCell) -> float:
        """Return the seconds to expect of a cell: its own median, else that of the most similar cells (LIKE), else that of all."""
        if cell.name in self.medians:
            return self.medians[cell.name]
        named = {tuple(name.split("-")): seconds for name, seconds in self.medians.items()}
        for parts in LIKE:
            wanted = {PARTS.index(part): getattr(cell, part) for part in parts}
            alike = [s for name, s in named.items() if len(name) == len(PARTS) and all(name[at] == value for at, value in wanted.items())]
            if alike:
                return statistics.median(alike)
        return GUESS

    def know(self, suite: str) -> bool:
        """Return whether any cell of a suite was measured."""
        return any(name.rpartition("-")[2] == suite for name in self.medians)

    @cached_property
    def medians(self) -> Mapping[str, float]:
        """The median of each cell that was measured."""
        return {name: statistics.median(seconds) for name, seconds in self.samples.items() if seconds}

    def learnt(self, measured: Iterable[tuple[str, float]]) -> Durations:
        """Return these with measurements added. Skip one that is known to the tenth of a second: the same results were read twice."""
        samples = {name: list(each) for name, each in self.samples.items()}
        for name, seconds in measured:
            if (rounded := round(seconds, 1)) not in samples.get(name, []):
                samples[name] = [*samples.get(name, []), rounded][-KEPT:]
        return Durations(samples)


def read_durations(folders: Iterable[Path]) -> list[tuple[str, float]]:
    """Return (cell, seconds) of each cell that ran to its end, from every cell.json below the folders. Skip unreadable files."""
    found = []
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} does not exist", remedy="name folders with results of cells")
        for path in sorted(folder.rglob("cell.json")):
            try:
                cell: dict[str, Any] = json.loads(path.read_bytes())
                if cell["exit_code"] in (0, 1) and cell["ended"] > cell["started"]:  # the duration of an interrupted cell is not comparable
                    found.append((float(cell["started"]), str(cell["name"]), float(cell["ended"]) - float(cell["started"])))
            except (OSError, ValueError, KeyError, TypeError):
                continue
    return [(name, seconds) for _, name, seconds in sorted(found)]


def shard(cells: Iterable[MatrixCell], index: int, count: int, durations: Durations) -> list[MatrixCell]:
    """Return the cells of one of `count` shards (the first is 1), sorted. Together the shards are all cells, each once.

    Assign the longest cells first, each to the shortest shard, so that no shard exceeds its fair share by more than one cell.
    """
    if not 1 <= index <= count:
        raise UsageError(f"there is no shard {index}/{count}", remedy=f"1/{max(count, 1)} to {max(count, 1)}/{max(count, 1)}")
    longest_first = sorted(set(cells), key=lambda cell: (-durations.of(cell), cell))
    shards: list[list[MatrixCell]] = [[] for _ in range(min(count, len(longest_first)))]  # shards beyond the number of cells are empty
    loads = [0.0] * len(shards)
    for cell in longest_first:
        least = loads.index(min(loads))
        loads[least] += durations.of(cell)
        shards[least].append(cell)
    return sorted(shards[index - 1]) if index <= len(shards) else []


def parse_shard(text: str) -> tuple[int, int]:
    """Return `2/3` as two numbers. UsageError for anything else."""
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal()):
        raise UsageError(f"invalid shard {text!r}", remedy="write it as 2/3: the second of three")
    return int(index), int(count)
