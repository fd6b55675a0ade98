from __future__ import annotations

from pathlib import Path

import pytest

from lab.api import Api
from lab.run import Run
from lab.tests.existing_fakes import MemoryCluster


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("blue", {"lab": {}}, root=tmp_path)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> MemoryCluster:
    made = MemoryCluster()
    monkeypatch.setattr(Api, "open", lambda _: made.api)
    return made
