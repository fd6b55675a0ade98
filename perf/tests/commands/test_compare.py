"""`lab bench compare`: two settings or releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf.tests.trials import bench


def test_missing_input_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("judge", str(tmp_path / "nowhere")) == 2
    assert "no saved trial" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--a", "x"], ["--a", "x", "--a", "y", "--b", "z"]])
def test_unpaired_trials_are_a_usage_error(words: list[str]) -> None:
    assert bench("judge", *words) == 2
