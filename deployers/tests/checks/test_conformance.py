"""Each check can fail, and says what it saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.checks.conformance import MEMBERS, PLANE, Check, applicable_checks, conformance
from deployers.checks.control_plane import CheckFailed, CheckInconclusive
from deployers.tests.checks_fakes import member, plane
from deployers.tests.control_plane_fakes import Server
from lab.errors import ProvisionError, TestsFailed
from lab.steps import StepOutcome


def test_outcomes_are_distinct_and_unknown_does_not_pass(tmp_path: Path) -> None:
    def broken(karmada: Any) -> str:
        raise CheckFailed("it is not so")

    def unmeasured(karmada: Any) -> str:
        raise CheckInconclusive("nobody to ask")

    def refused(karmada: Any) -> str:
        raise ProvisionError("no answer")

    report = conformance(
        plane(tmp_path, Server()),
        among=[Check("a", lambda _: "seen"), Check("b", unmeasured), Check("c", broken), Check("d", refused)],
    )

    assert [each.outcome for each in report.results] == [StepOutcome.PASS, StepOutcome.UNKNOWN, StepOutcome.FAIL, StepOutcome.FAIL]
    assert [each.name for each in report.failed] == ["c", "d", "b"]
    with pytest.raises(TestsFailed, match="3 of 4") as caught:
        report.demand()
    assert "c: it is not so" in str(caught.value)


def test_a_report_without_failures_is_returned(tmp_path: Path) -> None:
    report = conformance(plane(tmp_path, Server()), among=[Check("a", lambda _: "seen")])

    assert report.demand() is report
    assert report.save(tmp_path / "conformance.json").read_text().count('"pass"') == 1


def test_an_error_of_ours_is_not_taken_for_one_of_karmadas(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        conformance(plane(tmp_path, Server()), among=[Check("a", lambda _: str(1 // 0))])


def test_checks_of_members_are_there_only_where_members_are(tmp_path: Path) -> None:
    assert applicable_checks(plane(tmp_path, Server())) == PLANE
    assert applicable_checks(plane(tmp_path, Server(), members=(member("one"),))) == (*PLANE, *MEMBERS)
