"""A cell: one provider, deployer, release, Kubernetes version and suite, named `provider-deployer-release-kubernetes-suite`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.spec import Capability
from scenarios.matrix.cells import PARTS, MatrixCell
from scenarios.matrix.definition import HERE
from scenarios.matrix.feasibility import make_ask
from scenarios.matrix.pairwise import select_pairwise
from scenarios.tests.matrix.planner_fakes import planner, quick


def test_of_cells_that_cover_as_much_the_cheap_one_is_chosen() -> None:
    dear, cheap = MatrixCell("a", "b", "1", "2", "slow"), MatrixCell("a", "b", "1", "2", "quick")
    both = select_pairwise([dear, cheap, MatrixCell("a", "b", "1", "3", "quick")], cost=lambda cell: 9.0 if cell.suite == "slow" else 1.0)

    assert cheap in both
    assert len(both) == 3


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


def test_an_included_cell_may_have_versions_of_its_own_and_is_always_chosen() -> None:
    include = {"provider": "embedded", "deployer": "by_binary", "release": "1.17.1", "kubernetes": "1.34.4", "suite": "core", "reason": "r"}

    assert MatrixCell("embedded", "by_binary", "1.17.1", "1.34.4", "core") in planner(include=[include]).plan("pull-request").chosen


@quick
@given(st.builds(MatrixCell, *(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._]{0,30}", fullmatch=True) for _ in PARTS)))
def test_every_cell_has_a_lab_of_its_own_name(cell: MatrixCell) -> None:
    from lab.run import ID

    assert ID.fullmatch(cell.lab)
