"""The reference pages are what the code has."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from lab.verbs import app
from scenarios.documentation import reference

PAGES = reference.make_pages(typer.main.get_command(app))


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_a_page_is_not_stale(file: Path) -> None:
    assert file.read_text() == PAGES[file], "stale: run `lab docs reference`"


def test_types_read_as_a_person_writes_them() -> None:
    assert reference.type_name({"anyOf": [{"type": "string"}, {"type": "null"}]}) == "string"
    assert reference.type_name({"type": "array", "items": {"$ref": "#/$defs/Nodes"}}) == "array of [Nodes](#nodes)"
    assert reference.default_of("a", {"default": True}, {}) == "`true`"
    assert reference.default_of("a", {}, {"required": ["a"]}) == "required"


def test_a_bar_does_not_end_a_cell() -> None:
    assert "a\\|b" in reference.table(("x",), ("a|b",))
