"""The little statistics that reports need."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z = 1.959964
"""Of a two-sided interval of 95 %."""


@dataclass(frozen=True)
class Rate:
    """So many of so many, with the interval in which the true rate lies with 95 % confidence (Wilson's, which is right for few, too)."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """The interval's ends, within 0 and 1."""
        n, p = self.of, self.value
        centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z / (1 + Z * Z / n) * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)
