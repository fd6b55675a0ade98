"""The planner: which cells fit, which are chosen, and how they are shared out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import NotPossible, UsageError
from lab.spec import Capability, parse
from scenarios.matrix import show
from scenarios.matrix.cells import PARTS, MatrixCell
from scenarios.matrix.definition import HERE, Matrix
from scenarios.matrix.durations import GUESS, Durations, parse_shard, read_durations, shard
from scenarios.matrix.feasibility import CellFacts, judge, make_ask
from scenarios.matrix.pairwise import list_pairs, select_pairwise
from scenarios.matrix.plan import Planner
from scenarios.matrix.show import timeout_minutes

quick = settings(deadline=None, max_examples=60)  # how long an example takes says more of who else uses the computer
CELLS = st.lists(
    st.builds(
        MatrixCell,
        *(st.sampled_from([f"{part[0]}{number}" for number in range(most)]) for part, most in zip(PARTS, (3, 3, 2, 2, 4), strict=True)),
    ),
    max_size=40,
)
BARE = {
    "schema": 1,
    "deployers": ["by_binary", "by_chart"],
    "releases": ["1.18.2"],
    "kubernetes": ["1.35.4"],
    "providers": {"embedded": {"runs_on": ["x"]}, "kind": {"runs_on": ["x"], "nightly": True}},
    "suites": {"smoke": {"promise": "p", "files": ["test_conformance.py"]}, "core": {"promise": "p"}},
}


def matrix(**changes: object) -> Matrix:
    return parse(Matrix, {**BARE, **changes}, source="test")


def fine(_cell: MatrixCell, _lab: Path) -> CellFacts:
    return CellFacts(frozenset(Capability), ())


def planner(ask: object = fine, **changes: object) -> Planner:
    return Planner(matrix(**changes), Durations(), ask)  # type: ignore[arg-type]


# -- pairwise --------------------------------------------------------------------------------------------------------------------------


@quick
@given(CELLS, st.integers(0, 5))
def test_every_pair_that_can_be_is_in_the_choice_and_nothing_else_is_chosen(cells: list[MatrixCell], kept: int) -> None:
    always = cells[:kept]

    chosen = select_pairwise(cells, cost=lambda cell: len(cell.name), always=always)

    assert set(chosen) <= set(cells)
    assert set(always) <= set(chosen)
    assert set().union(*map(list_pairs, chosen)) == set().union(*map(list_pairs, cells))


@quick
@given(CELLS, st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_cells(cells: list[MatrixCell], chance: object) -> None:
    other = list(cells)
    chance.shuffle(other)  # type: ignore[attr-defined]

    assert select_pairwise(cells, cost=lambda _: 1.0) == select_pairwise(other, cost=lambda _: 1.0)


@quick
@given(CELLS)
def test_no_chosen_cell_is_superfluous(cells: list[MatrixCell]) -> None:
    chosen = select_pairwise(cells, cost=lambda _: 1.0)

    for cell in chosen:
        others = set().union(*(list_pairs(other) for other in chosen if other != cell))
        assert not list_pairs(cell) <= others


def test_of_cells_that_cover_as_much_the_cheap_one_is_chosen() -> None:
    dear, cheap = MatrixCell("a", "b", "1", "2", "slow"), MatrixCell("a", "b", "1", "2", "quick")
    both = select_pairwise([dear, cheap, MatrixCell("a", "b", "1", "3", "quick")], cost=lambda cell: 9.0 if cell.suite == "slow" else 1.0)

    assert cheap in both
    assert len(both) == 3


# -- shards ----------------------------------------------------------------------------------------------------------------------------


@quick
@given(
    CELLS,
    st.integers(1, 7),
    st.dictionaries(st.sampled_from(["p0-d0-r0-k0-s0", "p1-d1-r1-k1-s1"]), st.lists(st.floats(1, 9e3), min_size=1)),
)
def test_shards_are_all_cells_each_once_and_about_equally_long(
    cells: list[MatrixCell], count: int, samples: dict[str, list[float]]
) -> None:
    durations = Durations(samples)

    shards = [shard(cells, index, count, durations) for index in range(1, count + 1)]

    assert sorted(cell for part in shards for cell in part) == sorted(set(cells))
    loads = [sum(map(durations.of, part)) for part in shards]
    longest = max(map(durations.of, cells), default=0.0)
    assert max(loads) <= sum(loads) / count + longest + 1e-6


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0"])
def test_a_shard_that_is_not_there_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"no shard {text}"):
        shard([], *parse_shard(text), Durations())


@pytest.mark.parametrize("text", ["", "1", "a/b", "-1/3", "1/3/4"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="shard"):
        parse_shard(text)


# -- durations -------------------------------------------------------------------------------------------------------------------------


def test_what_is_not_measured_counts_as_the_median_of_what_is_most_like_it() -> None:
    unknown = MatrixCell("kind", "by_chart", "1", "2", "smoke")
    known = {"x": [10.0], "y-z": [20.0, 900.0, 30.0]}
    more = [("kind-x-1-2-core", 40.0), ("emb-x-1-2-smoke", 50.0), ("kind-x-1-2-smoke", 60.0), ("kind-by_chart-9-9-smoke", 70.0)]

    assert Durations().of(unknown) == GUESS
    assert Durations(known).of(unknown) == GUESS, "what is no cell's name tells nothing"
    for name, seconds in more:  # each more like it than those before
        known[name] = [seconds]
        assert Durations(known).of(unknown) == seconds, name
    assert Durations({"emb-x-1-2-core": [10.0], "emb-x-1-3-core": [20.0, 900.0, 30.0]}).of(unknown) == 20.0


def test_durations_are_learnt_from_cells_that_ran_to_their_end(tmp_path: Path) -> None:
    for name, code, seconds in (("whole", 0, 10.0), ("failed", 1, 20.0), ("no-lab", 4, 1.0), ("cut", 143, 1.0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cell.json").write_text(
            json.dumps({"name": name, "exit_code": code, "started": 100.0, "ended": 100.0 + seconds})
        )
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "cell.json").write_text('{"name": "to')

    learnt = Durations({"whole": [1.0, 2.0, 3.0, 4.0, 5.0]}).learnt(read_durations([tmp_path]))
    learnt.save(tmp_path / "durations.json")

    assert Durations.load(tmp_path / "durations.json").samples == {"failed": (20.0,), "whole": (2.0, 3.0, 4.0, 5.0, 10.0)}


def test_results_that_are_read_twice_count_once() -> None:
    once = Durations().learnt([("a", 10.04), ("b", 20.0)])

    assert once.learnt([("a", 10.04)]).samples == once.samples == {"a": [10.0], "b": [20.0]}


@pytest.mark.parametrize("text", ["{", '{"schema": 9, "cells": {}}', '{"schema": 1}', "[]"])
def test_a_broken_file_of_durations_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "durations.json").write_text(text)

    with pytest.raises(UsageError, match="durations"):
        Durations.load(tmp_path / "durations.json")


def test_a_job_times_out_after_three_times_its_duration_or_a_long_default() -> None:
    assert [timeout_minutes(seconds) for seconds in (1, 1200, 90000, None)] == [30, 60, 350, 150]
    known = Durations({"kind-by_binary-1.18.2-1.35.4-smoke": [1.0]})
    rows = show.format_matrix(planner().plan(only=["embedded", "by_binary"]), matrix(), known)["include"]
    assert {row["suite"]: row["timeout_minutes"] for row in rows} == {"smoke": 30, "core": 150}


# -- what fits -------------------------------------------------------------------------------------------------------------------------


def test_a_cell_fits_when_the_provider_offers_what_deployer_and_suite_need() -> None:
    facts = CellFacts(frozenset({Capability.HOLLOW}), ("the deployer by_chart needs PODS, which the provider embedded does not offer",))
    suites = {"smoke": {"promise": "p", "files": ["test_conformance.py"], "needs": ["PODS", "HOLLOW"]}}
    cell = MatrixCell("embedded", "by_chart", "1.18.2", "1.35.4", "smoke")

    judged = judge(matrix(suites=suites), [cell], lambda _cell, _lab: facts)

    assert judged[0].why == (*facts.problems, "the suite smoke needs PODS, which the provider embedded does not offer")


def test_what_the_code_says_of_real_cells() -> None:
    ask = make_ask()
    lab = HERE / "lab.toml"

    fits = ask(MatrixCell("embedded", "by_binary", "1.18.2", "1.35.4", "smoke"), lab)
    assert not fits.problems
    assert Capability.MACHINES in fits.offers
    assert "provider 'nothing'" in ask(MatrixCell("nothing", "by_binary", "1.18.2", "1.35.4", "x"), lab).problems[0]
    assert "deployer 'nothing'" in ask(MatrixCell("embedded", "nothing", "1.18.2", "1.35.4", "x"), lab).problems[0]
    assert "1.2.3 is not pinned" in ask(MatrixCell("embedded", "by_binary", "1.18.2", "1.2.3", "x"), lab).problems[0]
    assert "1.0.0 is not pinned" in ask(MatrixCell("embedded", "by_binary", "1.0.0", "1.35.4", "x"), lab).problems[0]


def test_a_suite_without_tests_fits_nowhere() -> None:
    chosen = planner(suites={"day2": {"promise": "p", "files": ["test_nothing_such*.py"]}}).plan()

    assert not chosen.chosen
    assert "test_nothing_such*.py" in chosen.reasons[0][0]


def test_one_suite_has_every_file_that_no_other_names() -> None:
    there = matrix()

    assert [path.name for path in there.files("smoke")] == ["test_conformance.py"]
    assert "test_conformance.py" not in {path.name for path in there.files("core")}
    assert "test_propagation.py" in {path.name for path in there.files("core")}


def test_every_test_file_is_in_a_suite_of_the_real_matrix() -> None:
    real = Matrix.load()

    assert {path for suite in real.suites for path in real.files(suite)} == set(HERE.glob("test_*.py"))


def test_what_is_thorough_is_run_by_some_cell() -> None:
    real = Matrix.load()

    for name, suite in real.suites.items():
        for path in real.files(name):
            asks = "pytest.mark.thorough" in path.read_text()
            assert not asks or "thorough" in suite.mark, (
                f"{path.name} has tests that the suite {name} never runs: give it another, or a mark"
            )


def test_the_real_matrix_has_cells_for_pull_requests_and_for_the_night() -> None:
    real = Planner.load()

    few, all_ = real.plan("pull-request"), real.plan("nightly")

    assert set(few.chosen) < set(all_.chosen)
    assert real.matrix.always() <= set(few.chosen)
    assert {*few.chosen, *few.left_out} == {*all_.chosen, *all_.left_out} == set(real.matrix.cells())


def test_a_whole_night_is_no_more_jobs_than_github_makes_and_each_may_take_its_time() -> None:
    real = Planner.load()
    night = real.plan("nightly").chosen

    assert len(night) <= show.GITHUB_MOST
    assert all(real.durations.of(cell) * 2 <= timeout_minutes(real.durations.of(cell)) * 60 for cell in night), (
        "none is cut off by its limit"
    )
    assert {cell.suite for cell in night} == set(real.matrix.suites), "a suite whose every cell is left out is none"


# -- choosing --------------------------------------------------------------------------------------------------------------------------


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


def test_an_included_cell_may_have_versions_of_its_own_and_is_always_chosen() -> None:
    include = {"provider": "embedded", "deployer": "by_binary", "release": "1.17.1", "kubernetes": "1.34.4", "suite": "core", "reason": "r"}

    assert MatrixCell("embedded", "by_binary", "1.17.1", "1.34.4", "core") in planner(include=[include]).plan("pull-request").chosen


def test_cells_of_a_checkout_have_it_for_their_release_once_each(tmp_path: Path) -> None:
    of = Planner(matrix(releases=["1.18.2", "1.17.1"]), Durations(), fine, checkout=tmp_path)

    assert {cell.release for cell in of.plan().chosen} == {"checkout"}
    assert len(of.plan().chosen) == 8
    with pytest.raises(UsageError, match="checkout"):
        planner().cell("embedded-by_binary-checkout-1.35.4-smoke")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"suites": {"a": {"promise": "p"}, "b": {"promise": "p"}}}, "a and b name no files"),
        ({"suites": {"a": {"promise": "p", "lab": "nothing.toml"}}}, "a: nothing.toml"),
        ({"exclude": [{"provider": "knid", "reason": "r"}]}, "there is no 'knid' here"),
        ({"exclude": [{"provider": "kind", "reason": ""}]}, "exclude[0].reason"),
        ({"deployers": ["by-chart"]}, "deployers[0]"),
        ({"schema": 2}, "schema"),
        ({"provider": {}}, "provider: unknown key"),
    ],
)
def test_a_matrix_that_cannot_be_meant_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        matrix(**changes)

    assert says in str(refused.value)


# -- names and pictures ----------------------------------------------------------------------------------------------------------------


@quick
@given(st.builds(MatrixCell, *(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._]{0,30}", fullmatch=True) for _ in PARTS)))
def test_every_cell_has_a_lab_of_its_own_name(cell: MatrixCell) -> None:
    from lab.run import ID

    assert ID.fullmatch(cell.lab)


def test_a_plan_for_github_has_all_that_a_job_needs() -> None:
    durations = Durations({"kind-by_binary-1.18.2-1.35.4-smoke": [1200.0]})
    plan = planner().plan(only=["kind", "smoke", "by_binary"])

    assert show.format_matrix(plan, matrix(), durations) == {
        "include": [
            {
                "cell": "kind-by_binary-1.18.2-1.35.4-smoke",
                "provider": "kind",
                "deployer": "by_binary",
                "release": "1.18.2",
                "kubernetes": "1.35.4",
                "suite": "smoke",
                "runs_on": ["x"],
                "timeout_minutes": 60,
            }
        ]
    }
    suites = {"smoke": {"promise": "p", "files": ["test_conformance.py"], "runs_on": ["y"]}, "core": {"promise": "p"}}
    assert [row["runs_on"] for row in show.format_matrix(plan, matrix(suites=suites), durations)["include"]] == [["y"]]
    told = show.make_document(plan, durations)
    assert [cell["seconds"] for cell in told["cells"]] == [1200.0]
    assert len(told["left_out"]) == 7
