"""Clusters: failures of one cause are one row, however many cells it fails. Pure functions of a report.

Two failures have one cause when their owner, their kind (step, test or cell), the name of what failed and the normalised cause agree:
names of cells, members and files, numbers, durations, addresses and checksums are left out of it. Where the same cause is given by
different tests, the tests are joined, too: one broken API server fails a hundred tests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reports.evaluate import ClassifiedFailure
from reports.history import HistoryRow, PastCell
from reports.report import Report

VARIABLE = (
    (re.compile(r"/(?:[\w.+@-]+/)+"), "…/"),
    (re.compile(r"\b[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b"), "#"),
    (re.compile(r"\b(?:member|extra|machine|worker|node|host)-?\d+\b"), "#"),
    (re.compile(r"\d+(?:[.:,]\d+)*(?:\s?(?:ms|s|min|h|MiB|GiB|%))?"), "#"),
)
"""What differs between two descriptions of the same cause, and its place holder."""


@dataclass(frozen=True)
class FailureCluster:
    """Failures of one cause, the first one as the example. `runs` is for how many runs it has failed, this one included.

    `since` is the first of them (None: it is this run), and `good` the last run before it (None: no run without it is known).
    """

    failures: tuple[ClassifiedFailure, ...]
    runs: int = 1
    since: HistoryRow | None = None
    good: HistoryRow | None = None

    @property
    def example(self) -> ClassifiedFailure:
        return self.failures[0]

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that it fails, each once."""
        return tuple(dict.fromkeys(judged.failure.cell for judged in self.failures))

    @property
    def names(self) -> tuple[str, ...]:
        """What failed: tests and steps, each once."""
        return tuple(dict.fromkeys(judged.failure.name for judged in self.failures))

    @property
    def is_flake(self) -> bool:
        """Return whether all its failures are known flakes."""
        return all(judged.flake is not None for judged in self.failures)

    @property
    def others(self) -> int:
        """The number of tests that failed only because these did."""
        return sum(len(judged.failure.others) for judged in self.failures)

    @property
    def since_text(self) -> str:
        """Return since when it fails, for readers."""
        if self.runs > 1:
            return f"for {self.runs} runs"
        return "new in this run" if self.good else "no earlier run"

    @property
    def command(self) -> str:
        """Return the command that runs its first cell on a laptop, and leaves its lab up."""
        return f"make cell CELL={self.example.failure.cell} ARGS=--keep"


def normalize_cause(judged: ClassifiedFailure) -> str:
    """Return the cause of a failure without what differs from cell to cell."""
    text = judged.failure.cause.replace(judged.failure.cell, "#")
    for pattern, place in VARIABLE:
        text = pattern.sub(place, text)
    return " ".join(text.split())


def make_clusters(report: Report) -> list[FailureCluster]:
    """Return the failures of a report by cause: known flakes last, then those of most cells first."""
    groups: dict[tuple[str, ...], list[ClassifiedFailure]] = {}
    for each in report.cells:
        for judged in each.failures:
            key = (judged.classification.owner.value, judged.failure.what, judged.failure.kind, normalize_cause(judged))
            groups.setdefault(key, []).append(judged)
    found = [make_cluster(judged, report.history.rows) for judged in groups.values()]
    return sorted(found, key=lambda each: (each.is_flake, -len(each.cells), -len(each.failures)))


def make_cluster(failures: Sequence[ClassifiedFailure], history: Sequence[HistoryRow]) -> FailureCluster:
    """Return a cluster with the runs in which one of its failures failed before, without a break until now."""
    failing = 0
    for row in reversed(history):
        if not any(was_failing(row, judged) for judged in failures):
            break
        failing += 1
    first = len(history) - failing
    return FailureCluster(tuple(failures), failing + 1, history[first] if failing else None, history[first - 1] if first else None)


def was_failing(row: HistoryRow, judged: ClassifiedFailure) -> bool:
    """Return whether a failure was there in an earlier run: the same test failed, or the cell failed and had the same owner."""
    past = row.cells.get(judged.failure.cell)
    if past is None:
        return False
    outcome = past.tests.get(judged.failure.name)
    if outcome is not None:
        return outcome.value == "fail"
    return judged.failure.what != "test" and has_failed(past, judged)


def has_failed(past: PastCell, judged: ClassifiedFailure) -> bool:
    """Return whether a cell of an earlier run failed by the same owner."""
    return past.outcome.value == "fail" and judged.classification.owner.value in past.owner
