"""`lab bench failover`: how long pods take to move from a lost member."""

from __future__ import annotations

import pytest

from perf.tests.trials import bench, parse_failover


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("30m", 1800.0), ("60", 60.0)])
def test_a_trial_has_a_timeout_as_commands_of_the_lab_have(text: str, seconds: float) -> None:
    assert parse_failover("--timeout", text)["within"] == seconds


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan"])
def test_an_invalid_timeout_is_a_usage_error(text: str) -> None:
    assert bench("failover", "--timeout", text) == 2
