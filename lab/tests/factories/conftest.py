from __future__ import annotations

from pathlib import Path

import pytest

from lab.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("try", {}, root=tmp_path)
