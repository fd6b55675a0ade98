"""The verdict of a comparison: equal sets raise no alarm, a real change is found, and too few pairs are inconclusive."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perf.stats import Comparison, compare, summarize_spread


def drawn(seed: int, *, pairs: int, factor: float, noise: float, drift: float = 0.3) -> Comparison:
    """Compare pairs whose B takes `factor` times A, on a computer whose pace drifts from pair to pair."""
    random = np.random.default_rng(seed)
    pace = 60.0 * np.exp(random.normal(0, drift, pairs))
    a, b = pace * np.exp(random.normal(0, noise, pairs)), factor * pace * np.exp(random.normal(0, noise, pairs))
    return compare([float(x) for x in a], [float(y) for y in b])


@pytest.mark.parametrize(("pairs", "noise"), [(5, 0.03), (5, 0.15), (8, 0.1), (20, 0.05)])
def test_two_like_sets_raise_no_alarm(pairs: int, noise: float) -> None:
    alarms = sum(drawn(seed, pairs=pairs, factor=1.0, noise=noise).verdict in {"slower", "faster"} for seed in range(80))

    assert alarms <= 3, "19 of 20 intervals hold the truth, and an alarm needs 5 % beyond it"


@pytest.mark.parametrize(("factor", "verdict"), [(1.25, "slower"), (0.8, "faster")])
def test_a_real_change_is_found(factor: float, verdict: str) -> None:
    found = [drawn(seed, pairs=6, factor=factor, noise=0.03).verdict for seed in range(40)]

    assert found.count(verdict) > 35
    assert not {"slower", "faster"} - {verdict} & set(found)


def test_what_is_the_same_is_called_the_same() -> None:
    assert drawn(1, pairs=20, factor=1.0, noise=0.01).verdict == "same"


def test_noise_is_inconclusive_and_says_why() -> None:
    found = drawn(1, pairs=5, factor=1.0, noise=0.4)

    assert found.verdict == "inconclusive"
    assert "more rounds" in found.why


@pytest.mark.parametrize("pairs", [0, 1, 4])
def test_too_few_pairs_say_nothing(pairs: int) -> None:
    found = compare([1.0] * pairs, [9.0] * pairs)

    assert (found.verdict, found.pairs) == ("inconclusive", pairs)


def test_unmeasured_pairs_are_dropped_and_counted() -> None:
    found = compare([1.0, None, 1.0, 1.0, 1.0], [2.0] * 5)

    assert found.verdict == "inconclusive"
    assert "(1 not measured)" in found.why


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 20), st.floats(1, 20)), min_size=5, max_size=12))
@example([(1.0, 1.0)] * 2 + [(4.0, 7.0)] + [(4.546875, 20.0)] * 3)  # the spread of three equal logarithms is 0, or rounding
def test_the_other_way_round_is_the_opposite(pairs: list[tuple[float, float]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    one, other = compare(a, b), compare(b, a)
    opposite = {"slower": "faster", "faster": "slower", "same": "same", "inconclusive": "inconclusive"}

    assert one.factor is not None
    assert other.factor is not None
    assert math.isclose(one.factor * other.factor, 1.0, rel_tol=1e-2)
    assert other.verdict == opposite[one.verdict]


def test_judged_again_the_interval_is_the_same() -> None:
    assert drawn(3, pairs=6, factor=1.1, noise=0.1) == drawn(3, pairs=6, factor=1.1, noise=0.1)


def test_spread() -> None:
    assert summarize_spread([1.0, 3.0, None, 2.0]) == {"n": 3, "median": 2.0, "min": 1.0, "max": 3.0, "cv": 0.5}
    assert summarize_spread([None]) == {"n": 0}
