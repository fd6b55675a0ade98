"""The steps of `up` as test cases, so that results show their duration and outcome beside the tests."""

from __future__ import annotations

from scenarios.kit.step_cases import step_reports


def test_steps_are_reports_with_their_outcome() -> None:
    events = [
        {"at": 1.0, "event": "begin", "step": "host"},
        {"at": 3.0, "event": "end", "step": "host", "seconds": 2.0, "outcome": "pass"},
        {"at": 4.0, "event": "end", "step": "member1", "seconds": 1.0, "outcome": "fail", "error": "it ended"},
    ]

    passed, failed = step_reports(events, lab="l")

    assert (passed.outcome, passed.duration, passed.start) == ("passed", 2.0, 1.0)
    assert (failed.outcome, failed.longrepr) == ("failed", "it ended")
