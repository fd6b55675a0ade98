"""The line of a program's log that says why the program ended."""

from __future__ import annotations

import re

PATTERNS = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^(?:Error: |error: )?(unknown (?:shorthand )?flag:? .*)$",
        r"^(?:Error: |error: )?(invalid argument .*)$",
        r"^(?:Error: |error: )?(unrecognized feature gate: .*)$",
        r"^(panic: .*)$",
        r"^F\d{4} \S+ +\d+ \S+\] (.*)$",
        r'^\{"level":"(?:fatal|panic)".*?"msg":"(.*?)"',
        r"^E\d{4} \S+ +\d+ run\.go:\d+\] (.*)$",
        r"^[Ee]rror: (.*)$",
        r"^(.*(?:no space left on device|address already in use|permission denied|certificate has expired).*)$",
    )
)
"""How Go programs say why they end, the most specific first: cobra and pflag, panics, klog (fatal, `component-base/cli/run.go`), zap."""

LONGEST = 300


def find_exit_reason(log: str) -> str:
    """Return why a program ended by the end of its log, in one line of at most 300 characters; "" when no line says it.

    Programs that are given an unknown flag print their usage after or before the reason, so the last line of a log is no reason.
    """
    for pattern in PATTERNS:
        if found := pattern.findall(log):
            return " ".join(str(found[-1]).split())[:LONGEST]
    return ""
