"""A trial as it is requested on the command line: the options that `lab bench failover`, `compare` and `ablation` share."""

from __future__ import annotations

from perf.request import TrialRequest
from perf.tests.trials import parse_failover


def test_the_options_of_a_request_are_those_of_its_verb() -> None:
    """Each field is an option, with the request's default."""
    given = parse_failover()
    assert TrialRequest(**{**given, "changes": list(given["changes"])}) == TrialRequest()
    assert list(parse_failover("--set", "a=1", "--set", "b=2")["changes"]) == ["a=1", "b=2"]
