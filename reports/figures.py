"""Figures of benchmarks that a cell brought along (perf/*.json): read by what they say of themselves, never by who wrote them.

A document has a `schema` and, anywhere in it, objects with a `name`, a `unit` and a `median` or `samples`; a failover has a `timeline`
of moments and the seconds after the fault at which they came. What is none of these is passed over; another schema is said.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab.mask import mask

SCHEMAS = frozenset({1})


@dataclass(frozen=True)
class Figure:
    """One measured number. Its verdict is what the benchmark said: ok, missed, faster, unknown, …"""

    name: str
    value: float
    unit: str = "s"
    verdict: str = ""


def of_folder(folder: Path) -> tuple[list[Figure], list[str]]:
    """Return the figures below a folder, each name once, and what could not be read."""
    found: dict[str, Figure] = {}
    notes: list[str] = []
    for path in sorted(folder.rglob("*.json")):
        name = str(path.relative_to(folder))
        try:
            document = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            notes.append(f"perf/{name} is half-written: {error}")
            continue
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema not in SCHEMAS:
            notes.append(f"perf/{name} is of schema {schema}; this version reads {', '.join(map(str, sorted(SCHEMAS)))}")
            continue
        label = str(document.get("name") or document.get("shape") or path.stem)
        for figure in inside(document, label):
            name = mask(figure.name)
            found.setdefault(name, replace(figure, name=name))
    return list(found.values()), notes


def inside(value: Any, label: str, depth: int = 6) -> Iterator[Figure]:
    """Yield the figures of a document, wherever in it they are."""
    if not depth or not isinstance(value, list | dict):
        return
    if isinstance(value, dict) and isinstance(value.get("name"), str) and isinstance(value.get("unit"), str):
        if (number := measured(value)) is not None:
            yield Figure(f"{label}: {value['name']}", number, value["unit"], str(value.get("verdict") or ""))
        return
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if key == "timeline" and isinstance(each, dict):
            yield from moments(each, label)
        else:
            yield from inside(each, label, depth - 1)


def moments(timeline: dict[str, Any], label: str) -> Iterator[Figure]:
    """Yield the moments of a failover, in seconds after its fault."""
    for moment, at in timeline.items():
        if isinstance(at, int | float) and not isinstance(at, bool):
            yield Figure(f"{label}: {moment}", float(at))


def measured(figure: dict[str, Any]) -> float | None:
    """Return the median of a figure, told or of its samples; None when it has none."""
    for key in ("median", "value"):
        if isinstance(figure.get(key), int | float):
            return float(figure[key])
    samples = [float(each) for each in figure.get("samples") or () if isinstance(each, int | float)]
    return statistics.median(samples) if samples else None
