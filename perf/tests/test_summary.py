"""A result as text: for a terminal, and as Markdown for the summary of a CI job."""

from __future__ import annotations

from perf import summary


def test_seconds() -> None:
    assert [summary.format_seconds(value) for value in (None, 3.21, 119.0, 754.0)] == ["—", "3.2 s", "119.0 s", "12 min 34 s"]
