"""The history between runs: one line per run in history.jsonl, small enough for a year of nightly runs.

    {"schema": 1, "run": …, "at": …, "cells": {name: {"outcome", "seconds", "up", "owner", "tests": {id: "p|f|s|u"}}}, "figures": {…}}

Torn lines and lines of another version are skipped and counted. A missing history file is an empty history.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.masking.mask import mask_object
from lab.run import write_private
from lab.steps import StepOutcome
from reports.files import parse_json, read_lines, to_json, to_timestamp

Json = dict[str, Any]
SCHEMA = 1
KEPT = 400
"""Runs that the file keeps."""

WINDOW = 30
"""Runs that rates and trends cover."""

LETTER = {StepOutcome.PASS: "p", StepOutcome.FAIL: "f", StepOutcome.SKIP: "s", StepOutcome.UNKNOWN: "u"}
OUTCOME = {letter: outcome for outcome, letter in LETTER.items()}


@dataclass(frozen=True)
class PastCell:
    """One cell of an earlier run."""

    outcome: StepOutcome
    seconds: float | None = None
    up: float | None = None
    owner: tuple[str, ...] = ()
    tests: dict[str, StepOutcome] = field(default_factory=dict)

    def document(self) -> Json:
        return {
            "outcome": self.outcome.value,
            "seconds": self.seconds and round(self.seconds, 1),
            "up": self.up and round(self.up, 2),
            "owner": list(self.owner),
            "tests": {name: LETTER[outcome] for name, outcome in self.tests.items()},
        }

    @classmethod
    def parse(cls, document: Json) -> PastCell:
        return cls(
            StepOutcome(document["outcome"]),
            to_number(document.get("seconds")),
            to_number(document.get("up")),
            tuple(str(each) for each in document.get("owner") or document.get("whose") or ()),
            {sys.intern(str(name)): OUTCOME[letter] for name, letter in (document.get("tests") or {}).items()},  # repeated
        )


@dataclass(frozen=True)
class HistoryRow:
    """One run. `figures` are benchmark results by name, in seconds or the unit of the name."""

    run: str
    at: float
    cells: dict[str, PastCell]
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int]:
        """The identity of a run: reporting it twice gives one row."""
        return self.run, int(self.at)

    def document(self) -> Json:
        cells = {name: past.document() for name, past in self.cells.items()}
        return {"schema": SCHEMA, "run": self.run, "at": round(self.at, 3), "cells": cells, "figures": self.figures}

    @classmethod
    def parse(cls, document: Json) -> HistoryRow:
        """Return the row of a line. Raise ValueError, KeyError, TypeError or AttributeError for any other document."""
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}")
        cells = {str(name): PastCell.parse(past) for name, past in document["cells"].items()}
        at = to_timestamp(document["at"])
        if at is None:
            raise ValueError(f"at {document['at']}")
        figures = {str(name): value for name, read in document.get("figures", {}).items() if (value := to_number(read)) is not None}
        return cls(str(document["run"]), at, cells, figures)


@dataclass(frozen=True)
class History:
    """Earlier runs, oldest first; `unreadable` lines could not be read."""

    rows: tuple[HistoryRow, ...] = ()
    unreadable: int = 0

    def get_earlier(self, row: HistoryRow) -> History:
        """Return the runs before this one."""
        return History(tuple(each for each in self.rows if each.key != row.key and (each.at <= row.at or not row.at)), self.unreadable)

    def add_runs(self, rows: Iterable[HistoryRow]) -> History:
        """Return this history with more runs; replace those that it contains already."""
        known = {row.key: row for row in self.rows} | {row.key: row for row in rows}
        return History(tuple(sorted(known.values(), key=lambda row: row.at))[-KEPT:], self.unreadable)

    def write(self, path: Path) -> None:
        """Replace a history file atomically. Names, which are keys here, were masked when they were read."""
        lines = (to_json(mask_object(row.document())) + "\n" for row in self.rows)
        write_private(path, "".join(lines).encode(), mode=0o644)


def read_history(path: Path | None) -> History:
    """Return the history of a file; an empty one when there is no file."""
    rows: list[HistoryRow] = []
    unreadable = 0
    for line in read_lines(path) if path else ():
        try:
            rows.append(HistoryRow.parse(parse_json(line)))
        except (ValueError, KeyError, TypeError, AttributeError):
            unreadable += 1
    return History(unreadable=unreadable).add_runs(rows)


def to_number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
