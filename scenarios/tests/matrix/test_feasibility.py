"""Why a cell is not possible, according to its provider, deployer and pins. Nothing is created or fetched."""

from __future__ import annotations

from lab.spec import Capability
from scenarios.matrix.cells import MatrixCell
from scenarios.matrix.feasibility import CellFacts, judge
from scenarios.tests.matrix.planner_fakes import matrix, planner


def test_a_cell_fits_when_the_provider_offers_what_deployer_and_suite_need() -> None:
    facts = CellFacts(frozenset({Capability.HOLLOW}), ("the deployer by_chart needs PODS, which the provider embedded does not offer",))
    suites = {"smoke": {"promise": "p", "files": ["test_conformance.py"], "needs": ["PODS", "HOLLOW"]}}
    cell = MatrixCell("embedded", "by_chart", "1.18.2", "1.35.4", "smoke")

    judged = judge(matrix(suites=suites), [cell], lambda _cell, _lab: facts)

    assert judged[0].why == (*facts.problems, "the suite smoke needs PODS, which the provider embedded does not offer")


def test_a_suite_without_tests_fits_nowhere() -> None:
    chosen = planner(suites={"day2": {"promise": "p", "files": ["test_nothing_such*.py"]}}).plan()

    assert not chosen.chosen
    assert "test_nothing_such*.py" in chosen.reasons[0][0]
