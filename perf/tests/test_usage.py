"""Resource usage is read from /proc; peak memory is sampled repeatedly, the last time at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from lab.errors import ProvisionError
from lab.supervisor.client import Supervisor
from perf import usage
from perf.usage import parse_write_counts


def supervising(status: Callable[[], Any]) -> Supervisor:
    return cast("Supervisor", SimpleNamespace(status=status))


def this_process() -> Any:
    return SimpleNamespace(programs={"lab/this": SimpleNamespace(pid=os.getpid()), "lab/ended": SimpleNamespace(pid=None)})


def test_programs_that_run_have_used_something() -> None:
    used = usage.measure_programs(supervising(this_process))

    assert used.keys() == {"lab/this"}
    assert used["lab/this"][1] > 2**20


def test_the_peak_is_what_was_seen_at_most_and_once_more_at_the_end() -> None:
    peak = usage.PeakMemory(supervising(this_process))
    peak.stop()

    assert 0 < peak.gib < 10


def test_a_supervisor_that_does_not_answer_ends_no_trial() -> None:
    def gone() -> Any:
        raise ProvisionError("it does not answer")

    peak = usage.PeakMemory(supervising(gone))
    peak.stop()

    assert peak.gib == 0.0


def test_the_computer_is_busy_by_at_least_this_process() -> None:
    before, own = usage.measure_busy_seconds(), usage.measure_own()[0]
    sum(number * number for number in range(3_000_000))

    assert usage.measure_own()[0] > own
    assert usage.measure_busy_seconds() >= before + 0.8 * (usage.measure_own()[0] - own) - 0.05, "ticks are a hundredth of a second"


def test_writes_are_read_out_of_metrics_and_refused_ones_apart() -> None:
    def line(verb: str, resource: str, value: str, *, code: str = "200", subresource: str = "", group: str = "") -> str:
        labels = {"code": code, "group": group, "resource": resource, "subresource": subresource, "verb": verb, "version": "v1"}
        pairs = ",".join(f'{key}="{text}"' for key, text in labels.items())
        return f"apiserver_request_total{{{pairs}}} {value}"

    text = "\n".join(
        [
            "# HELP apiserver_request_total x",
            line("POST", "pods", "12", code="201", subresource="binding"),
            line("LIST", "pods", "9"),
            line("POST", "events", "1.5e+03", code="429"),
            line("PUT", "works", "1", group="a", subresource="status"),
            line("PUT", "works", "2", group="b", subresource="status"),
            "",
        ]
    )

    assert parse_write_counts(text) == {"POST pods/binding": 12.0, "POST events 429": 1500.0, "PUT works/status": 3.0}
