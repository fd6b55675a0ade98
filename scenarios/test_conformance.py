"""The conformance checks on this lab's Karmada: one test case a check."""

from __future__ import annotations

import pytest

from deployers.checks.conformance import MEMBERS, PLANE, Check, run_check
from deployers.karmada import Karmada
from lab.steps import StepOutcome


@pytest.mark.parametrize("check", [*PLANE, *MEMBERS], ids=lambda check: check.name.replace(" ", "-"))
def test_promise(check: Check, karmada: Karmada) -> None:
    if check in MEMBERS and not karmada.spec.members:
        pytest.skip("this Karmada has no members")

    result = run_check(check, karmada)

    if result.outcome is StepOutcome.UNKNOWN:
        pytest.skip(f"could not be measured: {result.evidence}")
    assert result.outcome is StepOutcome.PASS, result.evidence
