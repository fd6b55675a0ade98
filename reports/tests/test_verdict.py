"""Decide how a cell ended from its exit code, its tests and its lab's journal. A cell without a passed test or step is never green."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.steps import StepOutcome
from reports.collect import Sources, collect
from reports.tests.collect_fakes import results
from reports.tests.results import PASSED, failed


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path / "runs"))
    for name in ("GITHUB_RUN_ID", "GITHUB_SHA"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("code", "cases", "outcome", "reason"),
    [
        (0, [PASSED], StepOutcome.PASS, ""),
        (0, [], StepOutcome.UNKNOWN, "no test ran"),
        (0, None, StepOutcome.UNKNOWN, "the cell left no results although it ended with exit code 0"),
        (0, [PASSED, failed("no")], StepOutcome.FAIL, "1 test failed"),
        (1, [PASSED, failed("no")], StepOutcome.FAIL, "1 test failed"),
        (3, None, StepOutcome.UNKNOWN, "not possible on this machine: inotify: too few"),
        (4, None, StepOutcome.FAIL, "the lab did not come up: inotify: too few"),
        (7, [PASSED], StepOutcome.FAIL, "the lab left something behind: inotify: too few"),
        (143, None, StepOutcome.UNKNOWN, "interrupted: inotify: too few"),
        (99, None, StepOutcome.FAIL, "exit code 99: inotify: too few"),
        (None, None, StepOutcome.UNKNOWN, "the cell left no results"),
    ],
)
def test_nothing_is_green_that_proved_nothing(
    tmp_path: Path, code: int | None, cases: list[str] | None, outcome: StepOutcome, reason: str
) -> None:
    log = tmp_path / "up.log"
    log.write_text("+0.1s begins\n\x1b[31minotify: too few\x1b[0m\n  \x1b[1mremedy:\x1b[0m lab doctor\nafter 1 s: nothing was created\n")
    sources = Sources(exit_code=code, junit=None if cases is None else results(tmp_path, *cases), logs=(log,))

    cell = collect(sources, tmp_path / "out")

    assert (cell.outcome, cell.reason) == (outcome, reason)


def test_the_detail_of_the_last_error_is_part_of_the_reason(tmp_path: Path) -> None:
    log = tmp_path / "up.log"
    log.write_text(
        "this lab cannot be brought up here\n  | docker: no engine answers\n  | disk: 0 MiB are free\n  remedy: lab doctor\nafter 1 s\n"
    )

    reason = collect(Sources(exit_code=3, logs=(log,)), tmp_path / "out").reason

    error = "docker: no engine answers disk: 0 MiB are free"
    assert reason == f"not possible on this machine: this lab cannot be brought up here: {error}"
    log.write_text(log.read_text().replace("0 MiB", "0" * 300))
    assert collect(Sources(exit_code=3, logs=(log,)), tmp_path / "out").reason.endswith("000 …")
