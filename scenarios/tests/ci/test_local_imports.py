"""The rule of imports: they stand at the top of a module. One inside a function says on its line what it saves, as measured."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from scenarios.tests.ci.test_names import ROOT, sources

AT_MOST = 39
"""Imports inside functions. Lower it when one goes; never raise it."""
REASON = re.compile(r"# noqa: PLC0415 \(.{6,}\)$")


def local_imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the imports inside functions of a module: where each is, and its line."""
    text = path.read_text()
    lines = text.splitlines()
    numbers = {
        node.lineno
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    for number in sorted(numbers):
        yield f"{path.relative_to(ROOT)}:{number}", lines[number - 1]


def test_imports_inside_functions_stay_few_and_say_why() -> None:
    found = [entry for path in sources() for entry in local_imports(path)]

    assert not [place for place, line in found if not REASON.search(line)]
    assert len(found) <= AT_MOST, [place for place, _ in found]


def test_no_room_is_exempt_from_the_rule() -> None:
    ignores = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["per-file-ignores"]

    assert [room for room, rules in ignores.items() if "PLC0415" in rules] == ["**/tests/*"]
