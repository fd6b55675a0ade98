"""A wait is ended by a dead program at once, by another cause when two diagnoses find it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.diagnosis import examiner as module
from lab.diagnosis.cause import Cause, Diagnosis, Rank
from lab.diagnosis.examiner import LabExaminer
from lab.run import Run

ALARM = Cause(Rank.STORE, "member1/etcd refuses writes", blocking=True)


@pytest.fixture
def examiner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabExaminer:
    monkeypatch.setattr(module, "APART", 0.0)
    return LabExaminer(Run.create("lab1", {}, root=tmp_path))


def test_a_dead_program_blocks_at_once(examiner: LabExaminer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examiner, "find_dead_programs", lambda: [Cause(Rank.PROGRAM, "member1/kwok is stopped")])

    assert examiner.find_block() == "member1/kwok is stopped"


def test_any_other_cause_blocks_when_it_is_found_twice(examiner: LabExaminer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "diagnose", lambda _: Diagnosis((ALARM,)))

    assert [examiner.find_block(), examiner.find_block()] == ["", ALARM.text]


@pytest.mark.parametrize("cause", [Cause(Rank.WORKLOAD, "pod waits", blocking=True), Cause(Rank.SERVER, "node n is late")])
def test_what_may_pass_or_is_wanted_never_blocks(examiner: LabExaminer, monkeypatch: pytest.MonkeyPatch, cause: Cause) -> None:
    monkeypatch.setattr(module, "diagnose", lambda _: Diagnosis((cause,)))

    assert [examiner.find_block() for _ in range(3)] == [""] * 3
