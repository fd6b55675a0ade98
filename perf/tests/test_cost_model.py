"""The model finds the costs that the trials were built from, reports its error, and refuses too few trials."""

from __future__ import annotations

from typing import Any

import pytest

from lab.errors import UsageError
from perf import cost_model
from perf.tests.cost_model_fakes import made

SIZES = [(8, 25), (40, 50), (100, 10), (20, 100), (400, 5), (10, 200), (60, 20)]


def test_the_costs_are_found() -> None:
    model = cost_model.fit_model([made(*size) for size in SIZES], "the survivor")

    assert model.coefficients == pytest.approx({"bindings": 0.02, "pods": 0.015, "renewals": 0.002, "seconds": 0.05}, rel=1e-3)
    assert model.error < 0.001


def test_what_costs_nothing_is_not_made_negative() -> None:
    model = cost_model.fit_model([made(*size) for size in SIZES], "Karmada")

    assert model.coefficients == pytest.approx({"bindings": 0.02, "pods": 0.0, "seconds": 0.0}, abs=1e-6)


@pytest.mark.parametrize("results", [[], [made(8, 25)] * 3, [made(8, 25)] * 9])
def test_too_little_says_nothing(results: list[dict[str, Any]]) -> None:
    with pytest.raises(UsageError, match="good trials of"):
        cost_model.fit_model(results, "Karmada")


@pytest.mark.parametrize("wrong", [{"verdict": "failed"}, {"others": {"limit": None, "failover": 0.4}}])
def test_trials_that_failed_or_were_disturbed_are_no_data(wrong: dict[str, Any]) -> None:
    broken = {**made(8, 25), **wrong}

    with pytest.raises(UsageError, match="3 good trials"):
        cost_model.fit_model([*(made(*size) for size in SIZES[:3]), broken, broken], "Karmada")


def test_a_model_that_misses_much_predicts_nothing() -> None:
    wild = [made(*size, per_pod=0.002 * 3**number) for number, size in enumerate(SIZES)]
    model = cost_model.fit_model(wild, "the survivor")

    assert model.error > cost_model.CREDIBLE
    text = cost_model.format_prediction([model], members=3, nodes=20, pods=400, replicas=10, seconds=60.0)
    assert "not predicted: the model misses an unseen trial by" in text[1]
