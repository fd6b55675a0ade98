"""Verdicts are pure functions of samples and limits; no samples are never ok."""

from __future__ import annotations

import pytest

from perf.figures import Measurement, compute_ratios, format_table
from perf.tests.trials import bench


@pytest.mark.parametrize(
    ("samples", "most", "least", "verdict"),
    [
        ((1.0, 2.0, 9.0), 2.0, None, "ok"),
        ((1.0, 3.0, 9.0), 2.0, None, "missed"),
        ((120.0,), None, 100.0, "ok"),
        ((99.0,), None, 100.0, "missed"),
        ((), 2.0, None, "unknown"),
        ((), None, None, "unknown"),
        ((5.0,), None, None, "measured"),
    ],
)
def test_verdict(samples: tuple[float, ...], most: float | None, least: float | None, verdict: str) -> None:
    assert Measurement("x", "s", samples, most=most, least=least).verdict == verdict


def test_ratios_are_paired() -> None:
    assert compute_ratios("x", [8.0, 30.0], [2.0, 10.0]).samples == (4.0, 3.0)


def test_an_unknown_figure_shows_as_unknown_with_its_reason() -> None:
    assert "unknown" in format_table([Measurement("x", "s", (), most=1, note="no room")])
    assert "no room" in format_table([Measurement("x", "s", (), most=1, note="no room")])


@pytest.mark.parametrize("verb", [[], ["kind"], ["failover"], ["compare"], ["ablation"]])
@pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", ""])
def test_less_than_one_round_is_a_usage_error(verb: list[str], number: str) -> None:
    assert bench(*verb, f"--rounds={number}") == 2
