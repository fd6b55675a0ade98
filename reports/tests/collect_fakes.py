"""Results of a test session."""

from __future__ import annotations

from pathlib import Path

from reports.tests.results import junit


def results(tmp_path: Path, *cases: str) -> Path:
    path = tmp_path / "results.xml"
    path.write_text(junit(*cases))
    return path
