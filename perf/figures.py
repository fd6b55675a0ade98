"""Measurements of a benchmark: samples, limits, and a verdict that is a pure function of both.

A failed measurement has no samples and the verdict unknown, with the reason: unknown never counts as ok.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

SCHEMA = 1


@dataclass(frozen=True)
class Measurement:
    """Samples of one quantity, judged by their median. `most` and `least` are its limits; None means no limit."""

    name: str
    unit: str
    samples: tuple[float, ...]
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def median(self) -> float | None:
        return statistics.median(self.samples) if self.samples else None

    @property
    def verdict(self) -> str:
        """The verdict: ok, missed, unknown (no samples) or measured (no limit)."""
        if self.median is None:
            return "unknown"
        if self.most is None and self.least is None:
            return "measured"
        too_much = self.most is not None and self.median > self.most
        too_little = self.least is not None and self.median < self.least
        return "missed" if too_much or too_little else "ok"

    @property
    def target(self) -> str:
        if self.most is not None:
            return f"≤ {self.most:g} {self.unit}"
        return f"≥ {self.least:g} {self.unit}" if self.least is not None else ""

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "median": self.median, "verdict": self.verdict}


def compute_ratios(name: str, over: Sequence[float], under: Sequence[float], *, most: float | None = None, note: str = "") -> Measurement:
    """Return the paired ratios of two quantities measured alternately, so that other load on the computer affects both alike."""
    pairs = zip(over, under, strict=False)
    return Measurement(name, "×", tuple(round(a / b, 3) for a, b in pairs if b > 0), most=most, note=note)


def format_table(figures: Sequence[Measurement]) -> str:
    """Return the measurements as aligned lines."""
    rows: list[tuple[str, ...]] = [("", "median", "min", "max", "target", "")]
    for figure in figures:
        if figure.median is None:
            rows.append((figure.name, "unknown", "", "", figure.target, figure.note))
            continue
        shown = [f"{value:.2f} {figure.unit}" for value in (figure.median, min(figure.samples), max(figure.samples))]
        rows.append((figure.name, *shown, figure.target, figure.verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
