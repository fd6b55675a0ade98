from __future__ import annotations

from pathlib import Path

import pytest

from deployers.operator.worker import Progress, inherit_environment


def test_progress_counts_steps_as_they_begin_and_end() -> None:
    progress = Progress()
    for line in (
        {"event": "begin", "step": "a", "left": 3},
        {"event": "begin", "step": "b", "left": 3},
        {"event": "end", "step": "a", "left": 2, "failed": False},
        {"event": "end", "step": "b", "left": 1, "failed": True},
    ):
        progress.take(line)

    assert (progress.done, progress.total, progress.failed, progress.running) == (2, 3, 1, [])


def test_a_worker_has_the_labs_of_its_operator_wherever_it_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KARMADA_LAB_RUNS", raising=False)

    assert inherit_environment()["KARMADA_LAB_RUNS"] == str(Path.cwd() / "_runs")
