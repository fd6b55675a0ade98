"""A matrix, and cells of which every one fits."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st

from lab.spec import Capability, parse
from scenarios.matrix.cells import PARTS, MatrixCell
from scenarios.matrix.definition import Matrix
from scenarios.matrix.durations import Durations
from scenarios.matrix.feasibility import CellFacts
from scenarios.matrix.plan import Planner

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
