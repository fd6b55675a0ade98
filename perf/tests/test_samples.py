"""Samples: the observations of a trial, saved before they are evaluated. `lab bench judge` evaluates saved ones again."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from perf.samples import Samples
from perf.tests.trials import trial


def test_the_head_is_masked(tmp_path: Path) -> None:
    trial(asked={"karmada": {"token": "s3cr3t-s3cr3t"}}).save(tmp_path)

    assert "s3cr3t" not in str(Samples.load(tmp_path).head)


def test_what_is_no_trial_is_refused(tmp_path: Path) -> None:
    (tmp_path / "samples.json.gz").write_bytes(b"no gzip")

    with pytest.raises(UsageError, match="no saved trial"):
        Samples.load(tmp_path)
