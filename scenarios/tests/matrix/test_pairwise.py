"""Few cells that cover every pair of values: most faults that depend on a combination depend on two of its parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scenarios.matrix.cells import MatrixCell
from scenarios.matrix.pairwise import list_pairs, select_pairwise
from scenarios.tests.matrix.planner_fakes import CELLS, quick


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
