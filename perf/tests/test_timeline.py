"""The evaluation is pure: a known timeline is read as it is, and faults of a trial are found object by object."""

from __future__ import annotations

from perf.result import evaluate_trial
from perf.tests.trials import trial
from perf.timeline import build_timeline


def test_points_and_phases() -> None:
    seen = build_timeline(trial())

    assert seen.points == {
        "T0": 0.0, "T1": 11.0, "T2": 11.5, "T3": 12.0, "T4": 12.5, "T5": 13.0, "T6": 14.0, "T7": 15.0, "T8": 20.0, "T9": 22.0,
    }  # fmt: skip
    judged = evaluate_trial(trial())
    assert judged["seconds"] == {
        "detect": 11.0, "taint": 1.0, "evict": 1.0, "reschedule": 1.0, "apply": 1.0, "start": 5.0, "purge": 2.0,
    }  # fmt: skip
    assert sum(judged["seconds"].values()) == judged["points"]["T9"]
