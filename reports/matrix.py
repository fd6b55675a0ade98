"""The matrix as a table: providers and deployers down, suites across, with versions where there is more than one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reports.examine import Examined
from reports.report import Report

Spot = tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """One release, Kubernetes version and suite."""

    spot: Spot
    label: str
    below: str = ""


@dataclass(frozen=True)
class Line:
    """One provider and deployer: a cell, or None and why there is none, for each column."""

    label: str
    cells: tuple[tuple[Examined | None, str], ...]


@dataclass(frozen=True)
class Matrix:
    """What the page draws. `common` is what all cells share and the columns therefore do not say; `loose` are cells without a place."""

    columns: tuple[Column, ...]
    rows: tuple[Line, ...]
    common: str
    loose: tuple[Examined, ...]


def matrix(report: Report) -> Matrix:
    """Return the matrix of the cells that were to be run; rows and columns in which none was are left out."""
    placed = [each for each in report.cells if each.cell.provider and each.cell.suite]
    at: dict[tuple[Spot, Spot], Examined] = {}
    for each in placed:
        at.setdefault((each.cell.parts[:2], each.cell.parts[2:]), each)  # two of one place have different names: one of them is loose
    why = {(left.parts[:2], left.parts[2:]): left.why for left in report.left_out}
    spots = sorted({spot for _, spot in at}, key=lambda spot: spot[2])
    spots.sort(key=lambda spot: [version(part) for part in spot[:2]], reverse=True)
    columns, common = labels(spots)
    rows = [
        Line(
            " ".join(part for part in row if part),
            tuple((at.get((row, spot)), why.get((row, spot), "it is not planned")) for spot in spots),
        )
        for row in sorted({row for row, _ in at})
    ]
    there = {id(each) for each in at.values()}
    loose = [each for each in report.cells if id(each) not in there]
    return Matrix(tuple(columns), tuple(rows), common, tuple(loose))


def labels(spots: Sequence[Spot]) -> tuple[list[Column], str]:
    """Return the columns' labels, and what is the same in all of them."""
    same = [len({spot[number] for spot in spots}) == 1 for number in range(2)]
    common = [f"{name} {spots[0][n]}" for n, name in enumerate(("Karmada", "Kubernetes")) if spots and same[n] and spots[0][n]]
    columns = [Column(spot, spot[2], " on ".join(spot[n] for n in range(2) if not same[n] and spot[n])) for spot in spots]
    return columns, " and ".join(common)


def version(text: str) -> list[int]:
    """Return a version as it sorts; words are before all numbers."""
    return [int(part) for part in re.findall(r"\d+", text)]
