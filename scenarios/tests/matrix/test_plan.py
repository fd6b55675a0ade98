"""The planner: which cells fit, which are chosen, and how they are shared out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import NotPossible, UsageError
from scenarios.matrix.durations import Durations
from scenarios.matrix.plan import Planner
from scenarios.tests.matrix.planner_fakes import fine, matrix, planner


def test_the_real_matrix_has_cells_for_pull_requests_and_for_the_night() -> None:
    real = Planner.load()

    few, all_ = real.plan("pull-request"), real.plan("nightly")

    assert set(few.chosen) < set(all_.chosen)
    assert real.matrix.always() <= set(few.chosen)
    assert {*few.chosen, *few.left_out} == {*all_.chosen, *all_.left_out} == set(real.matrix.cells())


def test_pull_requests_leave_out_what_is_nightly_and_say_why_of_every_cell() -> None:
    plan = planner().plan("pull-request")

    assert {cell.provider for cell in plan.chosen} == {"embedded"}
    assert {*plan.chosen, *plan.left_out} == set(matrix().cells())
    assert all(why for why in plan.left_out.values())


def test_an_excluded_cell_is_refused_by_name_with_its_reason() -> None:
    excluding = planner(exclude=[{"provider": "kind", "suite": ["smoke"], "reason": "the moon is full"}])

    with pytest.raises(NotPossible, match="moon"):
        excluding.cell("kind-by_chart-1.18.2-1.35.4-smoke")
    assert excluding.cell("kind-by_chart-1.18.2-1.35.4-core").provider == "kind"


def test_an_unknown_cell_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"embedded-by_binary-1\.18\.2-1\.35\.4-smoke"):
        planner().cell("embedded-by_binary-1.18.2-1.35.4-smok")


def test_only_leaves_what_has_one_of_the_values_of_each_part() -> None:
    plan = planner().plan(only=["kind", "smoke"])

    assert [cell.name for cell in plan.chosen] == ["kind-by_binary-1.18.2-1.35.4-smoke", "kind-by_chart-1.18.2-1.35.4-smoke"]
    with pytest.raises(UsageError, match="knid"):
        planner().plan(only=["knid"])


def test_cells_of_a_checkout_have_it_for_their_release_once_each(tmp_path: Path) -> None:
    of = Planner(matrix(releases=["1.18.2", "1.17.1"]), Durations(), fine, checkout=tmp_path)

    assert {cell.release for cell in of.plan().chosen} == {"checkout"}
    assert len(of.plan().chosen) == 8
    with pytest.raises(UsageError, match="checkout"):
        planner().cell("embedded-by_binary-checkout-1.35.4-smoke")
