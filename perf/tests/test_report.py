"""The page of a trial needs no server and no network, marks unknown values, and escapes names."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from perf import report
from perf.result import evaluate_trial
from perf.tests.trials import trial


def page(**changes: Any) -> str:
    samples = trial(**changes)
    judged = evaluate_trial(samples)
    return report.render_page(samples, judged, [judged])


def test_the_page_says_what_the_result_says() -> None:
    html = page()

    assert "4 pods moved in 20.0 s, 8.0 s of them after the taint" in html
    assert "2.00 × as long as the survivor alone (1 pods/s)" in html
    assert not re.search(r'(src|href)="?http', html)


def test_every_picture_is_well_formed_and_has_a_title() -> None:
    pictures = re.findall(r"<svg.*?</svg>", page(), flags=re.DOTALL)

    assert len(pictures) == 5
    for drawn in pictures:
        assert ET.fromstring(drawn).find("title") is not None


@pytest.mark.parametrize("stop", ["before the fault", "half-way"])
def test_a_trial_that_did_not_end_has_a_page(stop: str) -> None:
    samples = trial(without="member2/app-00001-x-b", complete=False, stopped_by="out of time <script>")
    if stop == "before the fault":
        del samples.marks["T0"]
    html = report.render_page(samples, evaluate_trial(samples), [evaluate_trial(samples)])

    assert "out of time &lt;script&gt;" in html
    assert "—" in html
    assert 'class="verdict unknown"' in html


def test_what_is_written_beside_the_samples(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        report.evaluate_and_write(trial(at=f"2026-11-2{len(name)}T00:00:00Z"), tmp_path / name, goal=None)
    (tmp_path / "other").mkdir()
    report.evaluate_and_write(trial(profile="default"), tmp_path / "other", goal=None)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "result.json").write_text("{")

    saved = json.loads((tmp_path / "two" / "result.json").read_text())
    assert {
        "schema",
        "kind",
        "name",
        "at",
        "release",
        "shape",
        "profile",
        "seconds",
        "pods_per_second",
        "limit_ratio",
        "verdict",
    } <= saved.keys()
    assert len(report.read_history(tmp_path, saved)) == 2
    older = {**saved, "sizes": {**saved["sizes"], "within": 1, "limit_pods": 1, "namespaces": 1}}
    assert (
        report.get_trend_key(older)
        == report.get_trend_key(saved)
        != report.get_trend_key({**older, "sizes": {**older["sizes"], "namespaces": 2}})
    )
    assert "| failover tiny tuned | ok | 4 of 4 |" in (tmp_path / "two" / "summary.md").read_text()


def test_a_page_names_no_figure_that_was_not_measured(tmp_path: Path) -> None:
    samples = trial()
    assert "observer_cpu_seconds" not in samples.head
    report.evaluate_and_write(samples, tmp_path, goal=None)
    assert "None" not in (tmp_path / report.PAGE).read_text()

    samples.head["observer_cpu_seconds"] = 3.2
    report.evaluate_and_write(samples, tmp_path, goal=None)
    assert "Observing took 3.2 s" in (tmp_path / report.PAGE).read_text()
