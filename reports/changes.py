"""Compare a run with the previous one, and find tests that flip: pure functions of history rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from lab.steps import StepOutcome
from lab.terminal.text import seconds_text
from reports.history import WINDOW, HistoryRow, PastCell
from reports.statistics import Rate

Kind = Literal["regressed", "fixed", "unknown", "new", "gone", "slower", "faster"]
NOTICED = 0.25
"""Relative change of a duration that is reported, if it is also more than SECONDS."""

SECONDS = 3.0


@dataclass(frozen=True)
class Change:
    """One change since the previous run. `test` is "" for a change of the whole cell."""

    kind: Kind
    cell: str
    test: str = ""
    detail: str = ""


def list_changes(before: HistoryRow, now: HistoryRow) -> list[Change]:
    """Return the changes, the worst first."""
    found = [change for name, past in now.cells.items() for change in list_cell_changes(name, before.cells.get(name), past)]
    found += [Change("gone", name, detail=f"it was {past.outcome.value}") for name, past in before.cells.items() if name not in now.cells]
    order: tuple[Kind, ...] = ("regressed", "unknown", "gone", "slower", "fixed", "faster", "new")
    return sorted(found, key=lambda change: (order.index(change.kind), change.cell, change.test))


def list_cell_changes(name: str, before: PastCell | None, now: PastCell) -> Iterator[Change]:
    """Yield the changes of one cell."""
    if before is None:
        yield Change("new", name, detail=f"it is {now.outcome.value}")
        return
    if now.outcome is not before.outcome:
        yield Change(classify_change(now.outcome), name, detail=f"{before.outcome.value} → {now.outcome.value}")
    for test, outcome in now.tests.items():
        was = before.tests.get(test)
        if was is not None and outcome is not was and StepOutcome.FAIL in {was, outcome}:
            yield Change(classify_change(outcome), name, test, f"{was.value} → {outcome.value}")
    for what, was_s, now_s in (("up", before.up, now.up), ("the whole cell", before.seconds, now.seconds)):
        if was_s and now_s and abs(now_s - was_s) >= SECONDS and abs(now_s - was_s) / was_s >= NOTICED:
            kind: Kind = "slower" if now_s > was_s else "faster"
            yield Change(kind, name, detail=f"{what}: {seconds_text(was_s)} → {seconds_text(now_s)}")


def classify_change(outcome: StepOutcome) -> Kind:
    """Return the kind of a change to this outcome."""
    return {StepOutcome.FAIL: "regressed", StepOutcome.PASS: "fixed"}.get(outcome, "unknown")  # type: ignore[return-value]


@dataclass(frozen=True)
class FlakyTest:
    """A test that both passed and failed in the window. `outcomes` are those of the last runs, oldest first; None without a run."""

    cell: str
    test: str
    outcomes: tuple[StepOutcome | None, ...]

    @property
    def pass_or_fail(self) -> list[StepOutcome]:
        return [outcome for outcome in self.outcomes if outcome in {StepOutcome.PASS, StepOutcome.FAIL}]

    @property
    def rate(self) -> Rate:
        """The rate of failures among passes and failures."""
        return Rate(self.pass_or_fail.count(StepOutcome.FAIL), len(self.pass_or_fail))

    @property
    def flips(self) -> int:
        """The number of flips between pass and fail: one is a regression or a fix, more are a flake."""
        return sum(one is not other for one, other in zip(self.pass_or_fail, self.pass_or_fail[1:], strict=False))


def list_flaky_tests(rows: Sequence[HistoryRow]) -> list[FlakyTest]:
    """Return the tests that both passed and failed in the last runs, most flips first."""
    window = rows[-WINDOW:]
    names = {(cell, test) for row in window for cell, past in row.cells.items() for test in past.tests}
    tests = [
        FlakyTest(cell, test, tuple(row.cells[cell].tests.get(test) if cell in row.cells else None for row in window))
        for cell, test in sorted(names)
    ]
    return sorted((each for each in tests if each.flips), key=lambda each: (-each.flips, -each.rate.value))


def get_figure_points(rows: Sequence[HistoryRow], figure: str) -> list[tuple[float, float]]:
    """Return (time, value) of a figure over the last runs."""
    return [(row.at, row.figures[figure]) for row in rows[-WINDOW:] if figure in row.figures]
