"""Verdicts are pure functions of samples and limits; no samples are never ok."""

from __future__ import annotations

import pytest

from perf.figures import Measurement, compute_ratios, format_table
from perf.request import TrialRequest
from perf.tests.trials import bench, parse_failover


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


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("30m", 1800.0), ("60", 60.0)])
def test_a_trial_has_a_timeout_as_commands_of_the_lab_have(text: str, seconds: float) -> None:
    assert parse_failover("--timeout", text)["within"] == seconds


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan"])
def test_an_invalid_timeout_is_a_usage_error(text: str) -> None:
    assert bench("failover", "--timeout", text) == 2


def test_the_options_of_a_request_are_those_of_its_verb() -> None:
    """Each field is an option, with the request's default."""
    given = parse_failover()
    assert TrialRequest(**{**given, "changes": list(given["changes"])}) == TrialRequest()
    assert list(parse_failover("--set", "a=1", "--set", "b=2")["changes"]) == ["a=1", "b=2"]


def test_an_option_of_the_group_before_a_command_is_refused() -> None:
    assert bench("--rounds", "2", "judge", "nowhere") == 2
    assert bench("--quick", "cost-model") == 2
