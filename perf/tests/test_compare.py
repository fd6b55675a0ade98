"""A comparison is a pure function of results; saved trials are evaluated again without a lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf import compare
from perf.result import evaluate_trial
from perf.tests.trials import T0, bench, trial


def lasting(seconds: float, **changes: object) -> dict[str, object]:
    """Return the result of a trial whose last pod runs `seconds` after the taint."""
    late = (T0 + 12 + seconds, "pod", "member2/app-00001-x-b", "running 1000116")
    return evaluate_trial(trial([late], without="member2/app-00001-x-b", **changes))


def test_neither_side_is_always_first() -> None:
    assert compare.order_sides(3) == ["a", "b", "b", "a", "a", "b"]


def test_a_slower_b_is_a_regression() -> None:
    found = compare.evaluate_sides({"a": [lasting(8 + n / 10) for n in range(5)], "b": [lasting(12 + n / 10) for n in range(5)]})

    assert found["verdict"] == "slower"
    assert compare.get_exit_code(found) == 6
    assert found["metrics"]["moving_seconds"]["a"]["median"] == 8.2
    assert "B is slower" in compare.format_comparison(found)


def test_a_trial_that_failed_is_left_out_however_fast_it_was() -> None:
    broken = lasting(1, complete=False, stopped_by="SIGINT")
    found = compare.evaluate_sides({"a": [lasting(8)] * 5, "b": [lasting(8)] * 4 + [broken]})

    assert found["verdict"] == "inconclusive"
    assert found["metrics"]["moving_seconds"]["pairs"] == 4
    assert compare.get_exit_code(found) == 4


def test_cpu_of_karmada_and_of_the_survivor_are_separate() -> None:
    used = lasting(8) | {
        "cpu_ms_per_pod": {"karmada/etcd": 1.0, "karmada/karmada-apiserver": 5.0, "member2/etcd": 4.0, "member1/etcd": 9.0}
    }
    metrics = ("cpu", "cpu_of_karmada", "cpu_of_survivor", "cpu_of_both")

    assert [compare.get_metric(used, metric) for metric in metrics] == [19.0, 6.0, 4.0, 1.5]
    assert compare.get_metric(used | {"cpu_ms_per_pod": {"karmada/etcd": 1.0}}, "cpu_of_both") is None


def test_a_comparison_reports_other_load() -> None:
    busy = lasting(8)
    busy["others"] = {"limit": None, "failover": 0.25}
    text = compare.format_comparison(compare.evaluate_sides({"a": [busy] * 5, "b": [lasting(8)] * 5}))

    assert "A: failover tiny tuned; other load took 25% of the CPU (25% at most)" in text
    assert "B: failover tiny tuned\n" in text


def test_one_side_ahead_is_cut_to_pairs() -> None:
    assert compare.evaluate_sides({"a": [lasting(8)] * 2, "b": []})["metrics"]["moving_seconds"]["pairs"] == 0


def test_a_saved_comparison_is_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, side in enumerate("abba", start=1):
        trial().save(tmp_path / f"{number:02d}-{side}")
    (tmp_path / compare.FILE).write_text("{}")

    assert bench("judge", str(tmp_path)) == 0
    assert "2 pairs, at least 5" in capsys.readouterr().out
