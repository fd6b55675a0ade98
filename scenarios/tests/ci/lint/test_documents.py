"""YAML and JSON as trees."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scenarios.ci.lint.documents import TooDeepError, find_duplicates, read_json, read_yaml


@pytest.mark.parametrize(
    "text",
    [
        "a: !vault |\n  x\n", "a: !reference [.b, c]\n", "a: !Ref b\nc: !Sub '${d}'\n", "a: !include b.yaml\n", "- =\n", "a: =\n",
        "a: &x 1\nb: &x 2\nc: *x\n", "b: &b {x: 1}\nc:\n  <<: *b\n  <<: *b\n", "on: push\n", "%YAML 1.2\n---\na: 1\n", "", "---\n---\n",
        "? [a, b]\n: c\n", "a: &a [*a]\n", "a: !!binary aGk=\n", "a: 2026-11-31\n", "a: 0o17\nb: 1_000\n", "\ufeffa: 1\n",
    ],
)  # fmt: skip
def test_valid_yaml_is_not_wrong(text: str) -> None:
    assert list(find_duplicates(read_yaml(text))) == []


@pytest.mark.parametrize("text", ["a: b: c\n", "a: [\n", "a: *b\n", "<<: *b\n", "a: 'x\n", "\ta: 1\n", "a: 1\n b: 2\n"])
def test_broken_yaml_is_an_error(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        read_yaml(text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [("a: 1\na: 2\n", [2]), ("a:\n  b: 1\n  c: 2\n  b: 3\n", [4]), ("---\na: 1\n---\nb: 1\nb: 1\n", [5]), ("'a': 1\na: 2\n", [2])],
)
def test_duplicate_keys_are_found_with_their_line(text: str, lines: list[int]) -> None:
    assert [int(each.split()[1].rstrip(":")) for each in find_duplicates(read_yaml(text))] == lines


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 3000 + "]" * 3000, "{a: " * 2000])
def test_deep_nesting_is_no_crash(text: str) -> None:
    with pytest.raises(TooDeepError):
        read_yaml(text)


def test_deep_json_is_no_crash() -> None:
    with pytest.raises(TooDeepError):
        read_json("[" * 100_000)


def test_aliases_that_multiply_are_walked_once() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))]

    assert list(find_duplicates(read_yaml("\n".join(lines)))) == []


def test_keys_are_found_through_merges() -> None:
    (document,) = read_yaml("x:\n  <<: [{a: 1}, {b: two}]\n  c: 3\n")
    inner = document.get("x")
    assert inner is not None
    assert [inner.get("a") is not None, inner.string("b"), inner.get("d")] == [True, "two", None]


@pytest.mark.parametrize("text", ["{}", "\ufeff{}", "[1, 2]\n", "{}\n{}\n", '"x"', "null"])
def test_json_values_one_after_the_other(text: str) -> None:
    assert read_json(text)


@pytest.mark.parametrize("text", ["", "{", "{} x", "{'a': 1}"])
def test_broken_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_whatever_yaml_writes_is_read_without_a_fault(value: object) -> None:
    assert list(find_duplicates(read_yaml(yaml.safe_dump(value, allow_unicode=True)))) == []
