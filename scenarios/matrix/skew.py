"""Which Kubernetes versions work with which Karmada: what cells of the skew suites found, kept in scenarios/skew.json.

`lab docs skew FOLDER` adds results to it, and `lab docs reference` writes the table of docs/reference/kubernetes-versions.md. A cell that
was never run is "not tried"; so is one that gave no result.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.assets.refs import version_key
from lab.errors import UsageError
from lab.run import write_json
from scenarios.matrix.cells import PARTS, MatrixCell
from scenarios.matrix.definition import Matrix

FILE = Path(__file__).parent.parent / "skew.json"
SCHEMA = 1
SUITES = {"skewmember": "as member", "skewhost": "as host"}
NOT_TRIED = "not tried"


@dataclass(frozen=True)
class SkewResult:
    """What one cell found: whether it works, the cause if it does not, and the day (YYYY-MM-DD, UTC)."""

    works: bool
    cause: str
    day: str

    def __str__(self) -> str:
        return "works" if self.works else f"fails: {self.cause}"


def load_results(path: Path = FILE) -> dict[str, SkewResult]:
    """Return the results that are kept, by the name of the cell; none when there is no file. UsageError when it is invalid."""
    if not path.exists():
        return {}
    try:
        document = json.loads(path.read_bytes())
        schema, results = document["schema"], {str(name): SkewResult(**row) for name, row in document["cells"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"reading the results of skew failed: {error}", where=str(path)) from error
    if schema != SCHEMA:
        raise UsageError(f"reading the results of skew failed: schema {schema} is not {SCHEMA}", where=str(path))
    return results


def save_results(results: Mapping[str, SkewResult], path: Path = FILE) -> None:
    """Write the results."""
    write_json(path, {"schema": SCHEMA, "cells": {name: asdict(results[name]) for name in sorted(results)}})


def is_skew(name: str) -> bool:
    """Whether a cell's name is that of a skew suite."""
    return name.count("-") == len(PARTS) - 1 and name.rpartition("-")[2] in SUITES


def list_rows(matrix: Matrix, results: Mapping[str, SkewResult]) -> list[tuple[str, ...]]:
    """Return the table: a row for each Kubernetes version and role, a column for each Karmada."""
    cells = [cell for cell in matrix.cells() if cell.suite in SUITES]
    releases = sorted({cell.release for cell in cells}, key=version_key, reverse=True)
    rows: list[tuple[str, ...]] = [("Kubernetes", "role", *(f"Karmada {release}" for release in releases))]
    both = [(kubernetes, suite) for suite in SUITES for kubernetes in {cell.kubernetes for cell in cells}]
    for kubernetes, suite in sorted(both, key=lambda each: version_key(each[0]), reverse=True):
        of = {cell.release: cell for cell in cells if (cell.kubernetes, cell.suite) == (kubernetes, suite)}
        rows.append((kubernetes, SUITES[suite], *(describe(of.get(release), results) for release in releases)))
    return rows


def describe(cell: MatrixCell | None, results: Mapping[str, SkewResult]) -> str:
    """Return the text of one cell in the table."""
    return str(results.get(cell.name, NOT_TRIED)) if cell else ""


def read_results(folders: Iterable[Path]) -> dict[str, SkewResult]:
    """Return the newest result of each skew cell, from every cell.json below the folders. A cell without a verdict gives none."""
    found: list[tuple[float, str, SkewResult]] = []
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} does not exist", remedy="name folders with results of cells")
        for path in folder.rglob("cell.json"):
            try:
                cell: dict[str, Any] = json.loads(path.read_bytes())
                name, ended, works = str(cell["name"]), float(cell["ended"]), {"pass": True, "fail": False}[cell["outcome"]]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if is_skew(name):
                day = datetime.fromtimestamp(ended, UTC).date().isoformat()
                found.append((ended, name, SkewResult(works, "" if works else str(cell.get("reason", "")), day)))
    return {name: result for _, name, result in sorted(found, key=lambda each: each[0])}
