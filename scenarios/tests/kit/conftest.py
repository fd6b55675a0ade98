from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.tests.kit.session_fakes import CONFTEST


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """What these tests start hears SIGINT, even when we are a background job of a shell, which is started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with the root conftest and whatever test files a test writes into it."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers -p no:cacheprovider -p xdist.plugin\nmarkers =\n  spawns: .\n"
    )
    (tmp_path / "conftest.py").write_text(CONFTEST.replace("{tmp!r}", repr(str(tmp_path))))
    return tmp_path
