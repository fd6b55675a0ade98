from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lab.errors import NotPossible
from scenarios.documentation import pictures


def test_the_picture_in_docs_is_what_the_code_draws(tmp_path: Path) -> None:
    drawn = pictures.write_architecture(tmp_path)
    assert drawn.read_text() == (pictures.FOLDER / "architecture.svg").read_text(), "stale: run `lab docs pictures`"
    assert ET.parse(drawn).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_without_a_browser_there_is_no_screenshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(NotPossible):
        pictures.take_screenshot(tmp_path / "a.html", tmp_path)
