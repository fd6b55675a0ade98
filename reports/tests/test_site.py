"""`lab report build`: write a Report as pages that open from disk, without a server, scripts or downloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports import site
from reports.tests.results import NAME, PASSED, cell, reported


def test_the_first_page_shows_the_last_attempt_and_the_cell_s_page_all(tmp_path: Path) -> None:
    log = {"logs/1-up.log": "it cannot be had: download refused\n  remedy: …\n", "evidence/2026-up/logs/etcd.log": "one\n"}
    first = cell(tmp_path / "1", files=log, outcome="unknown", exit_code=3, reason="not possible on this machine")
    second = cell(tmp_path / "2", PASSED, attempt=2, exit_code=0)

    site.write_site(reported(first, second), tmp_path / "site")

    index, page = (tmp_path / "site" / "index.html").read_text(), (tmp_path / "site" / "cells" / f"{NAME}.html").read_text()
    assert "attempt 2, after 1 failure of the infrastructure" in index
    assert "download refused" in page
    assert "infrastructure" in page
    assert "2026-up/logs/etcd.log" in page
    assert (tmp_path / "site" / "cells" / NAME / "2026-up" / "logs" / "etcd.log").read_text() == "one\n"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([5.0], "first measurement"),
        ([4.0, 6.0, 10.0], "+100 % against the median of 2 runs before"),
        ([4.0, 4.0], "as the median of 1 run before"),
        ([0.0, 5.0], "1 run before"),
    ],
)
def test_a_trend_compares_with_the_median_of_earlier_runs(values: list[float], text: str) -> None:
    assert site.compare_with_median([(float(number), value) for number, value in enumerate(values)]) == text
