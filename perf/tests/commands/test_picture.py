from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lab.errors import UsageError
from perf.commands.picture import picture


def test_a_result_becomes_a_picture_that_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps({"points": {"T0": 0.0, "T1": 10.5}, "seconds": {"detect": 10.5, "taint": None}}))
    picture(tmp_path / "result.json", tmp_path / "out" / "a.svg")
    root = ET.parse(tmp_path / "out" / "a.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "detect 10.5" in {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"points": 1}'])
def test_another_document_is_a_usage_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(UsageError):
        picture(tmp_path / "result.json", tmp_path / "a.svg")
