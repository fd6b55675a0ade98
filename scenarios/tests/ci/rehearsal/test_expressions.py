"""Evaluate the part of GitHub's expressions that the workflows here use: `${{ … }}` in a text, and conditions of jobs and steps."""

from __future__ import annotations

from typing import Any

import pytest

from lab.errors import UsageError
from scenarios.ci.rehearsal.expressions import Contexts, evaluate_condition, fill_template

HERE = Contexts(
    {
        "matrix": {"cell": "a-b", "runs_on": ["self-hosted", "x"], "timeout_minutes": 30},
        "needs": {"plan": {"result": "success", "outputs": {"count": "0", "matrix": '{"include": [{"cell": "a"}]}'}}},
        "inputs": {"checkout": "", "history": True},
        "github": {"event_name": "pull_request", "event": {"pull_request": {"base": {"sha": "abc"}}}},
    },
    {"success": lambda: True, "failure": lambda: False, "always": lambda: True, "cancelled": lambda: False},
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("cell-${{ matrix.cell }}-${{ github.event_name }}", "cell-a-b-pull_request"),
        ("${{ matrix.runs_on }}", ["self-hosted", "x"]),
        ("${{ matrix['timeout_minutes'] }}", 30),
        ("${{ fromJSON(needs.plan.outputs.matrix) }}", {"include": [{"cell": "a"}]}),
        ("${{ inputs.nothing.at.all }}", None),
        ("-${{ inputs.nothing }}-", "--"),
        ("${{ inputs.history && 'yes' || 'no' }}", "yes"),
        ("${{ inputs.checkout && 'yes' || 'no' }}", "no"),
        (
            "${{ github.event_name == 'PULL_REQUEST' && format('--since {0}', github.event.pull_request.base.sha) || '--all' }}",
            "--since abc",
        ),
        ("${{ 'it''s' }}", "it's"),
        ("${{ !(1 == 2) }}", True),
        ("${{ contains(matrix.runs_on, 'x') }}", True),
        ("${{ contains(needs.*.result, 'failure') }}", False),
        ("${{ join(matrix.runs_on, '+') }}", "self-hosted+x"),
        ("${{ 0 == '' }}", True),
    ],
)
def test_expressions_are_filled_in(text: str, value: Any) -> None:
    assert fill_template(text, HERE) == value


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (None, True),
        ("failure()", False),
        ("needs.plan.outputs.count != '0'", False),
        ("${{ !cancelled() && needs.plan.result == 'success' }}", True),
        ("inputs.history", True),
        (False, False),
    ],
)
def test_conditions_hold_or_not(text: str | bool | None, holds: bool) -> None:
    assert evaluate_condition(text, HERE) is holds


def test_a_condition_that_does_not_say_otherwise_is_one_for_success() -> None:
    failed = Contexts(HERE.values, {**HERE.functions, "success": lambda: False})

    assert not evaluate_condition("inputs.history", failed)
    assert evaluate_condition("always() && inputs.history", failed)


@pytest.mark.parametrize(
    "text", ["${{ nobody.knows }}", "${{ sudo('x') }}", "${{ 1 + 2 }}", "${{ (1 }}", "${{ 'open }}", "${{ matrix. }}", "${{ }}"]
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        fill_template(text, HERE)
