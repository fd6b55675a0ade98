"""YAML that this project writes: a text is quoted wherever a reader may take it for something else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.yaml_text import dump_yaml

ROOT = Path(__file__).parents[2]
AMBIGUOUS = [
    *("1234e56", "0192837", "1e3", "0x1f", "0o7", "017", "0b1", "1_000", "1.5", ".5", "5.", "-1", "+1", "1e+3", ".inf", "-.inf", ".nan"),
    *("yes", "No", "on", "OFF", "true", "False", "null", "~", "y", "n", "12:30:45", "2026-11-29", "2026-11-29t12:00:00z", "=", "<<", "0"),
]


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_what_yaml_may_take_for_something_else_is_quoted_as_value_and_as_key(text: str) -> None:
    written = dump_yaml({"name": text, "list": [text], text: "x"})

    assert f"name: '{text}'\n" in written
    assert f"- '{text}'\n" in written
    assert re.search(rf"^(\? )?'{re.escape(text)}'", written, re.MULTILINE)
    assert yaml.safe_load(written) == {"name": text, "list": [text], text: "x"}


@pytest.mark.parametrize("text", ["member1", "karmada.io/x", "https://127.0.0.1:6443", "a: b", "karmada-lab.1e3.m"])
def test_a_plain_text_stays_readable(text: str) -> None:
    assert yaml.safe_load(dump_yaml({"name": text})) == {"name": text}
    assert ("'" in dump_yaml({"name": text})) == (": " in text)


@settings(deadline=None)
@given(
    st.recursive(st.text() | st.booleans() | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_every_document_is_read_as_it_was(document: object) -> None:
    assert yaml.safe_load(dump_yaml(document)) == document


def test_nothing_else_writes_yaml() -> None:
    files = [path for package in ("lab", "deployers", "perf", "scenarios") for path in (ROOT / package).rglob("*.py")]
    others = [path for path in files if "tests" not in path.parts and re.search(r"yaml\.(safe_)?dump", path.read_text())]

    assert [str(path.relative_to(ROOT)) for path in others] == ["lab/yaml_text.py"]
