"""`lab docs` writes the pages that are made from the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.tests.cli_fakes import invoke
from scenarios.documentation import reference


def test_the_reference_is_written_into_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "docs" / "reference")
    (tmp_path / "docs").mkdir()

    assert invoke("docs", "reference").code == 0
    assert (tmp_path / "docs" / "reference" / "settings.md").read_text()


def test_outside_of_a_checkout_there_are_no_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "docs" / "reference")

    assert invoke("docs", "reference").code == 3
