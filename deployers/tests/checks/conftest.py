from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deployers.checks import description
from deployers.tests.compare_fakes import described
from lab.run import Run


@pytest.fixture
def plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """A function that brings up a lab of that name and saves its description."""

    def up(name: str, **parts: Any) -> Run:
        run = Run.create(name, {"lab": {}, "karmada": {}}, root=tmp_path)
        monkeypatch.setattr(description, "program_args", lambda _: {})
        monkeypatch.setattr(description, "describe", lambda *_: described(**parts))
        description.save(SimpleNamespace(run=run))  # type: ignore[arg-type]
        return run

    return up
