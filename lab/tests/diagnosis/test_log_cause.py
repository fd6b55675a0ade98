"""Go programs say in several ways why they end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.diagnosis.log_cause import LONGEST, find_exit_reason

USAGE = "\n".join(f"      --flag-{number} string   a flag" for number in range(200))


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (f"Error: unknown flag: --no-such\nUsage:\n{USAGE}\n", "unknown flag: --no-such"),
        (f"Usage:\n{USAGE}\n\nunknown flag: --no-such\n", "unknown flag: --no-such"),
        ('I1128 10:00:00.1 1 a.go:1] fine\nE1128 10:00:01.1 1 run.go:72] "command failed" err="no key"\n', '"command failed" err="no key"'),
        ("F1128 10:00:01.000000       1 server.go:120] listen tcp: address already in use\n", "listen tcp: address already in use"),
        ('{"level":"fatal","ts":"x","caller":"y","msg":"discovery failed","error":"bad"}\n', "discovery failed"),
        ("panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\n", "panic: assignment to entry in nil map"),
        ("I1128 10:00:00.1 1 a.go:1] fine\n", ""),
        ("", ""),
    ],
)
def test_the_reason_is_found_in_the_log(log: str, reason: str) -> None:
    assert find_exit_reason(log) == reason


@settings(deadline=None)
@given(st.text())
def test_any_log_gives_one_short_line(log: str) -> None:
    found = find_exit_reason(log)

    assert "\n" not in found
    assert len(found) <= LONGEST
