"""The matrix as a table: one row per suite and version, one column per provider and deployer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lab.steps import StepOutcome
from reports.evaluate import EvaluatedCell
from reports.report import Report

Spot = tuple[str, ...]


@dataclass(frozen=True)
class MatrixRow:
    """One suite, release and Kubernetes version: for each column its cell, or None and why it is missing."""

    label: str
    below: str
    cells: tuple[tuple[EvaluatedCell | None, str], ...]

    @property
    def passed(self) -> bool:
        """Return whether every cell of it that was run passed."""
        return all(each.outcome is StepOutcome.PASS for each, _ in self.cells if each)


@dataclass(frozen=True)
class MatrixTable:
    """The table that the page draws. `common` are the versions of all rows; `loose` are cells without a place in it."""

    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    common: str
    loose: tuple[EvaluatedCell, ...]


def make_matrix(report: Report) -> MatrixTable:
    """Return the matrix of the planned cells, without empty rows and columns."""
    at: dict[tuple[Spot, Spot], EvaluatedCell] = {}
    for each in report.cells:
        if each.cell.provider and each.cell.suite:
            at.setdefault(get_place(each.cell.parts), each)  # a second cell of the same place is loose
    why = {get_place(left.parts): "; ".join(left.why) for left in report.left_out}
    columns = sorted({column for _, column in at})
    lines = sorted({line for line, _ in at}, key=lambda line: line[2])
    lines.sort(key=lambda line: [parse_version(part) for part in line[:2]], reverse=True)
    labels, common = make_labels(lines)
    there = {id(each) for each in at.values()}
    return MatrixTable(
        columns=tuple(" ".join(part for part in column if part) for column in columns),
        rows=tuple(
            MatrixRow(line[2], below, tuple((at.get((line, column)), why.get((line, column), "not planned")) for column in columns))
            for line, below in zip(lines, labels, strict=True)
        ),
        common=common,
        loose=tuple(each for each in report.cells if id(each) not in there),
    )


def get_place(parts: Spot) -> tuple[Spot, Spot]:
    """Return the row and the column of a cell with these parts."""
    return parts[2:], parts[:2]


def make_labels(lines: Sequence[Spot]) -> tuple[list[str], str]:
    """Return the versions of each row that differ, and those that all rows share."""
    same = [len({line[number] for line in lines}) == 1 for number in range(2)]
    common = [f"{name} {lines[0][n]}" for n, name in enumerate(("Karmada", "Kubernetes")) if lines and same[n] and lines[0][n]]
    return [" on ".join(line[n] for n in range(2) if not same[n] and line[n]) for line in lines], " and ".join(common)


def parse_version(text: str) -> list[int]:
    """Return the sort key of a version; a text without numbers sorts first."""
    return [int(part) for part in re.findall(r"\d+", text)]
