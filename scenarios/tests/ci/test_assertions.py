"""The rule of assertions on errors: type, exit code and one stable noun, so that a sentence can be reworded without touching a test."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("lab", "deployers", "scenarios", "perf", "reports")
MOST = 3
"""Words of a pattern; a noun with its article or number has that many."""


def files_of_tests() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("test_*.py"))


def long_patterns(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, pattern) of each `match=` of more than three words. The values of a parametrized argument count as written there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            given = dict(parametrized(node))
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in {"raises", "warns"}:
                    for keyword in call.keywords:
                        if keyword.arg == "match":
                            values = given.get(keyword.value.id, []) if isinstance(keyword.value, ast.Name) else [keyword.value]
                            yield from ((value.lineno, text) for value in values if len((text := pattern_text(value)).split()) > MOST)


def parametrized(function: ast.FunctionDef) -> Iterator[tuple[str, list[ast.expr]]]:
    """Yield (argument, values) of the arguments that a test is parametrized by, as far as they are written out."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute) and decorator.func.attr == "parametrize":
            names, values = decorator.args[:2]
            rows = values.elts if isinstance(values, ast.List | ast.Tuple) else []
            if isinstance(names, ast.Tuple):
                for number, name in enumerate(names.elts):
                    yield ast.literal_eval(name), [row.elts[number] for row in rows if isinstance(row, ast.Tuple)]
            else:
                yield ast.literal_eval(names), rows


def pattern_text(value: ast.expr) -> str:
    """Return a pattern as written, each expression of an f-string as one word; "" for what is not written out."""
    if isinstance(value, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in value.values)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def test_no_assertion_matches_a_sentence() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in files_of_tests()
        for line, text in long_patterns(ast.parse(path.read_text()))
    ]

    assert not found, "\n".join(["match one stable noun, and assert type and exit code", *found])


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("with pytest.raises(E, match='the cluster member1'): pass", []),
        ("with pytest.raises(E, match='the cluster member1 failed'): pass", ["the cluster member1 failed"]),
        ("with pytest.raises(E, match=f'the {name} of {lab}'): pass", ["the {} of {}"]),
        ("with pytest.raises(E, match=said): pass", ["a b c d"]),
    ],
)
def test_the_rule_finds_sentences_written_in_the_test_or_as_its_parameter(source: str, found: list[str]) -> None:
    test = f"@pytest.mark.parametrize(('n', 'said'), [(1, 'a'), (2, 'a b c d')])\ndef test_a(said):\n    {source}\n"

    assert [text for _, text in long_patterns(ast.parse(test))] == found
