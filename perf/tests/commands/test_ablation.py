"""`lab bench ablation`: the effect of each setting of a profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf.tests.trials import bench


def test_missing_input_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("ablation", "--only", "brake") == 2
    assert "has no setting brake" in capsys.readouterr().err
    assert bench("ablation", "--into", str(tmp_path)) == 2
    assert "no series to continue" in capsys.readouterr().err
