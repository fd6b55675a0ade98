"""pytest's option --update-golden, and the fixture `golden`, which compares a text with its golden file.

Golden files are the transcripts that a reviewer reads instead of code: commands, flags and objects, one a line. This option is the only way
of updating them; the commit then shows what changed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import pytest

CheckGolden = Callable[[Path, str], None]
"""Compares a text with a golden file."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("golden").addoption(
        "--update-golden", action="store_true", help="Write the golden files of the selected tests instead of comparing with them."
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> CheckGolden:
    """Return a function that fails the test when a text differs from a golden file; with --update-golden it writes the file."""
    return update_golden if request.config.getoption("--update-golden") else check_golden


def check_golden(file: Path, text: str) -> None:
    """Fail the test, with a diff, when the text differs from the file or the file is missing."""
    before = file.read_text() if file.exists() else ""
    if text != before:
        diff = difflib.unified_diff(before.splitlines(), text.splitlines(), str(file.name), "now", lineterm="")
        pytest.fail("\n".join([*diff, f"{file.name} differs; if that is intended: pytest --update-golden"]), pytrace=False)


def update_golden(file: Path, text: str) -> None:
    """Write the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
