"""The matrix as data: `scenarios/matrix.toml`, validated. The head of that file explains its keys."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from scenarios.matrix.definition import HERE, Matrix
from scenarios.tests.matrix.planner_fakes import matrix


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
