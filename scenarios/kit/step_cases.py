"""The steps of `up` as test cases, so that results show their duration and outcome beside the tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from lab.steps import filter_up_events


def step_reports(events: Iterable[dict[str, Any]], *, lab: str) -> Iterator[pytest.TestReport]:
    """Yield a test report for each finished step of a run's journal."""
    for event in filter_up_events(events):
        if event.get("event") == "end":
            name = str(event["step"])
            yield pytest.TestReport(
                nodeid=f"lab/up.py::{name}",
                location=("lab/up.py", None, name),
                keywords={},
                outcome="passed" if event["outcome"] == "pass" else "failed",
                longrepr=None if event["outcome"] == "pass" else str(event.get("error", "")),
                when="call",
                duration=float(event["seconds"]),
                start=float(event["at"]) - float(event["seconds"]),
                stop=float(event["at"]),
                user_properties=[("lab", lab)],
            )
