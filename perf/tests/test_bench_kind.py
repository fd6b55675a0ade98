from __future__ import annotations

from typing import Any

import pytest

from perf.bench_kind import read_spans


def end(step: str, at: float) -> dict[str, Any]:
    return {"event": "end", "step": step, "at": at}


STEPS = [end("host", 30.0), end("member1", 42.0), end("karmada", 60.0), end("member2", 35.0), {"event": "up", "at": 75.0}]


def test_spans_run_from_the_first_step_to_the_last_cluster() -> None:
    assert read_spans([{"event": "begin", "step": "lab/guard", "at": 10.0}, {"event": "begin", "step": "host", "at": 11.0}, *STEPS]) == (
        32.0,
        33.0,
    )


def test_karmada_that_was_there_before_the_clusters_took_no_time_after_them() -> None:
    assert read_spans([{"event": "begin", "step": "x", "at": 0.0}, *STEPS[:-1], {"event": "up", "at": 41.0}])[1] == 0.0


@pytest.mark.parametrize("events", [[], STEPS, [{"event": "begin", "at": 1.0}, *STEPS[1:]]])
def test_a_journal_that_does_not_tell_has_no_spans(events: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="the journal"):
        read_spans(events)
