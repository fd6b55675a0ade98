"""The rule of parameters: a function that takes more than seven is missing an object."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from scenarios.tests.ci.test_names import ROOT, sources

MAX_PARAMETERS = 7
OPTIONS = "typer makes an option of each parameter"
EXEMPT = {
    "scenarios/commands/matrix.py:matrix": OPTIONS,
    "scenarios/commands/upstream.py:upstream": OPTIONS,
}
"""Functions that may take more, and why."""


def count_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many arguments callers can give a function."""
    parameters = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([each for index, each in enumerate(parameters) if index or each.arg not in {"self", "cls"}])


def crowded(path: Path) -> Iterator[str]:
    """Yield the functions of a file with too many parameters, as path:name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and count_parameters(node) > MAX_PARAMETERS:
            yield f"{path.relative_to(ROOT)}:{node.name}"


def test_no_function_takes_more_than_seven_parameters() -> None:
    found = {function for path in sources() for function in crowded(path)}

    assert not found - EXEMPT.keys(), "give these an object"
    assert not EXEMPT.keys() - found, "take these out of the exemptions"
