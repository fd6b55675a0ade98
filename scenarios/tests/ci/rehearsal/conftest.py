from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.tests.ci.rehearsal.rehearsal_fakes import ACTION, CALLED, CALLER


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {"workflows/called.yml": CALLED, "workflows/caller.yml": CALLER, "actions/cell/action.yml": ACTION}.items():
        path = tmp_path / ".github" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path
