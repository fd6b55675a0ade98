"""`lab bench`: what a lab costs, and how fast Karmada fails over."""

from __future__ import annotations

from perf.tests.trials import bench


def test_an_option_of_the_group_before_a_command_is_refused() -> None:
    assert bench("--rounds", "2", "judge", "nowhere") == 2
    assert bench("--quick", "cost-model") == 2
