"""The first cause stands before the text of a failed test."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.kit.reporting import put_first


def make_report(longrepr: Any) -> pytest.TestReport:
    return pytest.TestReport("test_a", ("test_a.py", 1, "test_a"), {}, "failed", longrepr, "call")


def test_the_cause_is_the_first_line_of_a_traceback() -> None:
    with pytest.raises(ValueError) as raised:
        int("not scheduled yet")
    report = make_report(raised.getrepr())

    put_first(report, ["cause: karmada/karmada-scheduler is stopped", "remedy: restart it"])

    assert report.longreprtext.lstrip("E ").startswith("cause: karmada/karmada-scheduler is stopped")
    assert "not scheduled yet" in report.longreprtext
    assert report.longrepr.reprcrash.message.startswith("cause: ")  # type: ignore[union-attr]


def test_the_cause_is_the_first_line_of_a_text() -> None:
    report = make_report("not scheduled yet")

    put_first(report, ["cause: karmada/karmada-scheduler is stopped"])

    assert report.longreprtext.splitlines() == ["cause: karmada/karmada-scheduler is stopped", "not scheduled yet"]
