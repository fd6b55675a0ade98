"""Read the benchmark figures of a cell (perf/**.json) as perf writes them; schema 1 of both.

    a failover     kind = "failover": total_seconds, seconds by phase, pods_per_second, limit_ratio, verdict
    other figures  figures = [{name, unit, median or samples, verdict}]

A missing key means a missing figure. A document of another schema gets a note; other documents are skipped.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.masking.mask import mask
from reports.files import read_json

SCHEMAS = frozenset({1})


@dataclass(frozen=True)
class Figure:
    """One measured number, with the verdict of the benchmark: ok, missed, faster, unknown, …"""

    name: str
    value: float
    unit: str = "s"
    verdict: str = ""


def read_figures(folder: Path) -> tuple[list[Figure], list[str]]:
    """Return the figures below a folder, and notes on unreadable files. Trials of the same name give one figure, their median."""
    found: dict[str, list[Figure]] = {}
    notes: list[str] = []
    for path in sorted(folder.rglob("*.json")):
        name = str(path.relative_to(folder))
        try:
            document = read_json(path)
        except (OSError, ValueError) as error:
            notes.append(f"perf/{name} is half-written: {error}")
            continue
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema not in SCHEMAS:
            notes.append(f"perf/{name} is of schema {schema}; this version reads {', '.join(map(str, sorted(SCHEMAS)))}")
            continue
        for figure in list_figures(document, path.stem):
            found.setdefault(mask(figure.name), []).append(figure)
    return [merge_figures(name, figures) for name, figures in found.items()], notes


def merge_figures(name: str, figures: list[Figure]) -> Figure:
    """Return the median of figures of one name."""
    verdicts = dict.fromkeys(figure.verdict for figure in figures if figure.verdict)
    return Figure(name, statistics.median(figure.value for figure in figures), figures[0].unit, mask(", ".join(verdicts)))


def list_figures(document: dict[str, Any], stem: str) -> Iterator[Figure]:
    """Yield the figures of a document."""
    label = str(document.get("name") or stem)
    if document.get("kind") == "failover":
        yield from list_failover_figures(document, label)
    figures = document.get("figures")
    for each in figures if isinstance(figures, list) else ():
        if isinstance(each, dict) and (value := get_value(each)) is not None:
            yield Figure(f"{label}: {each.get('name')}", value, str(each.get("unit") or ""), str(each.get("verdict") or ""))


def list_failover_figures(document: dict[str, Any], label: str) -> Iterator[Figure]:
    """Yield the figures of a failover: its total, its ratio to the limit, and its phases."""
    verdict = str(document.get("verdict") or "")
    phases = document.get("seconds")
    rows = [("fault to all pods Ready", document.get("total_seconds"), "s"), ("pods a second", document.get("pods_per_second"), "pods/s")]
    rows += [("against the limit", document.get("limit_ratio"), "×")]
    rows += [(f"phase {phase}", seconds, "s") for phase, seconds in phases.items()] if isinstance(phases, dict) else []
    for number, (name, value, unit) in enumerate(rows):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield Figure(f"{label}: {name}", float(value), unit, "" if number else verdict)


def get_value(figure: dict[str, Any]) -> float | None:
    """Return the median of a figure, from the document or its samples; None without either."""
    for key in ("median", "value"):
        if isinstance(figure.get(key), int | float):
            return float(figure[key])
    samples = [float(each) for each in figure.get("samples") or () if isinstance(each, int | float)]
    return statistics.median(samples) if samples else None
