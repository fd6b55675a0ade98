"""`lab bench judge`: saved trials evaluated again."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf.tests.trials import bench, trial


def test_a_saved_trial_is_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trial().save(tmp_path)

    assert bench("judge", str(tmp_path)) == 0
    assert "4 pods moved" in capsys.readouterr().out
    assert bench("judge", str(tmp_path), "--goal", "1.5") == 6
    assert (tmp_path / "result.json").exists()
