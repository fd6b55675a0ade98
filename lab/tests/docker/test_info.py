"""Engines of every kind, as `docker info` describes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.computer import Answer
from lab.docker.checks import list_engine_errors
from lab.docker.info import EngineInfo, ask_engine, is_seen_by_snap
from lab.tests.computer_fakes import Scripted, info
from lab.tests.docker_fakes import NEEDS, engine


def test_an_engine_of_this_computer_is_fine() -> None:
    found = ask_engine(Scripted())

    assert isinstance(found, EngineInfo)
    assert found.kind == ""
    assert list_engine_errors(Scripted(), NEEDS) == []


def test_warnings_beside_the_document_do_not_matter() -> None:
    noisy = Answer(0, f"WARNING: No swap limit support\n{info().text}\nWARNING: bridge-nf-call-iptables is disabled\n")

    assert isinstance(ask_engine(engine(noisy)), EngineInfo)


@pytest.mark.parametrize(
    ("path", "seen"),
    [("/home/me/work", True), ("/home/me/.cache/x", False), ("/tmp/x", False), ("/home/me/work/.hidden", True), ("/mnt/disk", True)],
)
def test_what_a_snap_can_read(path: str, seen: bool) -> None:
    assert is_seen_by_snap(Path(path), Path("/home/me")) is seen
