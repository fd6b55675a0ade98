"""Comparing two sets of trials: paired, with an interval, and a verdict that admits when it does not know.

Trials are run in turn (A B, B A, A B …), so what the computer's other work does to one it does to its pair. What is compared is the mean
of the logarithms of the ratios B/A: a factor, the same whichever way round. The interval is a bootstrap over pairs; the verdict needs a
least change that matters:

    slower         the whole interval lies above 1 + least      faster   all of it below 1 / (1 + least)
    same           all of it lies within these two              inconclusive   anything else: more rounds would tell
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

CONFIDENCE = 0.95
LEAST = 0.05
"""A change of less than this factor is no news."""
DRAWS = 1000
FEWEST = 5
"""Pairs without which nothing is said: the bootstrap of fewer is too narrow to be honest."""


@dataclass(frozen=True)
class Comparison:
    """B against A: the factor, its interval, and what may be said."""

    pairs: int
    factor: float | None
    low: float | None
    high: float | None
    verdict: str
    why: str = ""

    def document(self) -> dict[str, Any]:
        return asdict(self)


def compare(a: Sequence[float | None], b: Sequence[float | None], *, least: float = LEAST, confidence: float = CONFIDENCE) -> Comparison:
    """Compare samples pair by pair. A pair of which one was not measured is left out; with fewer than five left it is inconclusive."""
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None and x > 0 and y > 0]
    left_out = len(a) - len(pairs)
    if len(pairs) < FEWEST:
        said = f"{len(pairs)} pairs, {FEWEST} are the fewest" + (f" ({left_out} not measured)" if left_out else "")
        factor = round(math.exp(np.mean([math.log(y / x) for x, y in pairs])), 4) if pairs else None
        return Comparison(len(pairs), factor, None, None, "inconclusive", said)
    ratios = np.log([y / x for x, y in pairs])
    low, high = compute_interval(ratios, confidence=confidence)
    bar = math.log1p(least)
    if low > bar:
        verdict = "slower"
    elif high < -bar:
        verdict = "faster"
    elif -bar <= low and high <= bar:
        verdict = "same"
    else:
        verdict = "inconclusive"
    why = "" if verdict != "inconclusive" else f"the interval reaches across {least:.0%}: more rounds would tell"
    factor, low, high = (round(math.exp(value), 4) for value in (float(ratios.mean()), low, high))
    return Comparison(len(pairs), factor, low, high, verdict, why)


def compute_interval(values: np.ndarray[Any, np.dtype[np.float64]], *, confidence: float) -> tuple[float, float]:
    """Return an interval for the mean: a bootstrap of studentised means, which stays honest for as few as five values.

    The plain percentile bootstrap covers 5 values four times in five instead of nineteen in twenty. Draws are seeded: judged again, saved
    trials give the same interval.
    """
    count = len(values)
    mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(count)
    if error == 0.0:
        return mean, mean
    draws = np.random.default_rng(20_26).choice(values, size=(DRAWS, count))
    errors = draws.std(axis=1, ddof=1) / math.sqrt(count)
    spread = errors > 0  # draws of one value alone say nothing of the spread
    scores = (draws.mean(axis=1)[spread] - mean) / errors[spread]
    # Symmetric: of few values neither tail is known by itself.
    least = get_student_quantile(count - 1)
    reach = min(max(float(np.quantile(np.abs(scores), confidence)), least), 3 * least) * error  # draws of nearly one value know no bounds
    return mean - reach, mean + reach


def get_student_quantile(freedom: int) -> float:
    """Return the two-sided 95 % quantile of Student's distribution, as tables have it: what the interval is never narrower than."""
    table = {
        1: 12.71,
        2: 4.303,
        3: 3.182,
        4: 2.776,
        5: 2.571,
        6: 2.447,
        7: 2.365,
        8: 2.306,
        9: 2.262,
        10: 2.228,
        15: 2.131,
        20: 2.086,
        30: 2.042,
    }
    return table[max(known for known in table if known <= freedom)]


def summarize_spread(values: Sequence[float | None]) -> dict[str, float]:
    """Return n, median, least, most, and the coefficient of variation, of what was measured."""
    there = np.array([value for value in values if value is not None])
    if not there.size:
        return {"n": 0}
    varied = float(there.std(ddof=1) / there.mean()) if there.size > 1 and there.mean() else 0.0
    rounded = {"median": float(np.median(there)), "min": float(there.min()), "max": float(there.max()), "cv": varied}
    return {"n": int(there.size), **{name: round(value, 4) for name, value in rounded.items()}}
