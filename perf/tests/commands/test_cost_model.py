"""`lab bench cost-model`: CPU of a failover by size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perf.tests.cost_model_fakes import made
from perf.tests.trials import bench

SIZES = [(8, 25), (40, 50), (100, 10), (20, 100), (400, 5), (10, 200), (60, 20)]


def test_a_prediction_far_outside_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, size in enumerate(SIZES):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "result.json").write_text(json.dumps(made(*size)))

    assert bench("cost-model", str(tmp_path)) == 0
    shown = capsys.readouterr().out
    assert "Karmada: 4 CPU s" in shown
    assert "beyond what was measured" in shown
    assert "each of 99 survivors" in shown


def test_no_trials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("cost-model", str(tmp_path)) == 2
    assert "needs at least" in capsys.readouterr().err
