"""Verdicts are pure functions of samples and limits; no samples are never ok."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable

import pytest

from perf import ablation, compare, failover
from perf.figures import Measurement, compute_ratios, format_table


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


@pytest.mark.parametrize("words", [failover.build_parser, compare.build_parser, ablation.build_parser])
@pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", ""])
def test_what_is_to_be_measured_less_than_once_is_refused(
    words: Callable[[], ArgumentParser], number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        words().parse_args([f"--rounds={number}"])

    assert caught.value.code == 2
    assert "1 or more" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("30m", 1800.0), ("60", 60.0)])
def test_a_trial_has_a_timeout_as_commands_of_the_lab_have(text: str, seconds: float) -> None:
    assert failover.build_parser().parse_args(["--timeout", text]).within == seconds


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan"])
def test_a_timeout_that_is_none_is_wrong_usage(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        failover.build_parser().parse_args(["--timeout", text])
    assert caught.value.code == 2
    assert "invalid duration" in capsys.readouterr().err
