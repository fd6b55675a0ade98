"""A diagnosis asks all sources at once, and ends in time whatever they do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.diagnosis import diagnose as module
from lab.diagnosis.cause import Cause, Rank
from lab.diagnosis.diagnose import diagnose, list_sources
from lab.run import Run

DISK, POD = Cause(Rank.COMPUTER, "disk is full"), Cause(Rank.WORKLOAD, "pod waits")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("lab1", {"lab": {"host": {"name": "host"}, "members": [{"name": "member1"}]}, "karmada": {}}, root=tmp_path)


def test_causes_come_sorted_and_a_source_that_fails_is_left_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[Cause]:
        raise ValueError

    monkeypatch.setattr(module, "list_sources", lambda *_, **__: [lambda: [POD], fail, lambda: [DISK]])

    assert diagnose(run) == (DISK, POD)


def test_a_source_that_hangs_costs_no_more_than_the_limit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang() -> Iterator[Cause]:
        yield DISK
        release.wait(30)
        yield POD

    monkeypatch.setattr(module, "list_sources", lambda *_, **__: [hang])
    began = time.monotonic()

    assert diagnose(run, within=0.3) == (DISK,)
    assert time.monotonic() - began < 10
    release.set()


def test_a_lab_without_a_supervisor_has_no_apis_to_ask(run: Run) -> None:
    assert len(list_sources(run, None, "", within=1.0)) < 7
