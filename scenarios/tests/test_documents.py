"""Files that users hand in, saved by an editor that writes a byte-order mark, or in another encoding."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deployers.by_chart import values
from deployers.checks import compare
from deployers.wanted import document, prepare
from lab.assets.pins import Catalogue
from lab.errors import UsageError
from lab.images.official import LOCK, ImageLock
from lab.specs import DEFAULT
from reports import classify, flakes
from reports.report import read_plan
from scenarios.matrix.definition import Matrix
from scenarios.matrix.durations import Durations
from scenarios.upstream.known import KnownSpecs

ROOT = Path(__file__).parent.parent.parent

TOML: dict[str, tuple[bytes, Callable[[Path], Any]]] = {
    "lab file": (DEFAULT.read_bytes(), lambda path: prepare(document(path)).asked),
    "matrix": ((ROOT / "scenarios/matrix.toml").read_bytes(), Matrix.load),
    "upstream's known": ((ROOT / "scenarios/upstream/known.toml").read_bytes(), KnownSpecs.load),
    "flakes": (flakes.FLAKES.read_bytes(), lambda path: flakes.read_flakes(path, date(2026, 1, 1))),
    "rules": (classify.RULES.read_bytes(), classify.load_rules.__wrapped__),
    "image lock": (LOCK.read_bytes(), ImageLock.read),
}
JSON: dict[str, tuple[Any, Callable[[Path], Any]]] = {
    "durations": ({"schema": 1, "cells": {"a": [1.0]}}, Durations.load),
    "plan": ({"cells": [{"name": "a-b-c-d-e"}]}, lambda path: read_plan(path)[2]),
    "comparison": ({"differences": [{"where": ["a"]}]}, compare.read_known),
}


@pytest.mark.parametrize("name", TOML)
def test_toml_with_a_mark_is_what_it_is_without(name: str, tmp_path: Path) -> None:
    data, read = TOML[name]
    plain, marked = tmp_path / "plain" / "a.toml", tmp_path / "marked" / "a.toml"
    for path, content in ((plain, data), (marked, codecs.BOM_UTF8 + data.replace(b"\n", b"\r\n"))):
        path.parent.mkdir()
        path.write_bytes(content)
    assert str(read(marked)).replace(str(marked), "") == str(read(plain)).replace(str(plain), "")


@pytest.mark.parametrize("name", TOML)
def test_toml_in_utf_16_is_a_usage_error(name: str, tmp_path: Path) -> None:
    data, read = TOML[name]
    (tmp_path / "a.toml").write_bytes(data.decode().encode("utf-16"))
    with pytest.raises(UsageError, match="UTF-16"):
        read(tmp_path / "a.toml")


def test_pins_with_a_mark_are_read(tmp_path: Path) -> None:
    (tmp_path / "pins.toml").write_bytes(codecs.BOM_UTF8 + b"schema = 1\n")
    assert Catalogue.load(tmp_path / "pins.toml")


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-8"])
def test_json_is_read_in_its_encoding(name: str, encoding: str, tmp_path: Path) -> None:
    document, read = JSON[name]
    (tmp_path / "plain.json").write_text(json.dumps(document))
    (tmp_path / "a.json").write_bytes(json.dumps(document).encode(encoding))
    assert read(tmp_path / "a.json") == read(tmp_path / "plain.json")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_values_file_is_read_in_its_encoding(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_bytes("apiServer:\r\n  labels: {city: Zürich}\r\n".encode(encoding))
    assert values.read_values(tmp_path / "values.yaml") == {"apiServer": {"labels": {"city": "Zürich"}}}


@pytest.mark.parametrize("data", ["a: Zürich".encode("latin-1"), b"[" * 5000, b"a: \0", b"- a", b""])
def test_what_is_no_values_file_is_a_usage_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_bytes(data)
    with pytest.raises(UsageError):
        values.read_values(tmp_path / "values.yaml")


def test_toml_is_read_in_one_place() -> None:
    files = [path for folder in ("lab", "deployers", "scenarios", "perf", "reports") for path in (ROOT / folder).rglob("*.py")]
    found = [
        str(path.relative_to(ROOT)) for path in files if "tests" not in path.parts and re.search(r"^import tomllib", path.read_text(), re.M)
    ]
    assert found == ["lab/documents.py"]
