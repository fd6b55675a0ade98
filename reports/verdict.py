"""Decide how a cell ended from its exit code, its tests and its lab's journal. A cell without a passed test or step is never green."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lab.count import count
from lab.steps import StepOutcome
from reports.cases import Case, find_worst
from reports.files import read_tail
from reports.journal import BringUp
from reports.junit_results import Results

Verdict = tuple[StepOutcome, str]
"""An outcome, and its reason unless it is a pass."""

MEANS: dict[int, Verdict] = {
    1: (StepOutcome.FAIL, "tests failed"),
    2: (StepOutcome.FAIL, "a command was called with a usage error"),
    3: (StepOutcome.UNKNOWN, "not possible on this machine"),
    4: (StepOutcome.FAIL, "the lab did not come up"),
    5: (StepOutcome.UNKNOWN, "no test ran"),
    6: (StepOutcome.FAIL, "slower than the target"),
    7: (StepOutcome.FAIL, "the lab left something behind"),
    124: (StepOutcome.UNKNOWN, "the job ran out of time"),
    130: (StepOutcome.UNKNOWN, "interrupted"),
    137: (StepOutcome.UNKNOWN, "killed"),
    143: (StepOutcome.UNKNOWN, "interrupted"),
}
"""The verdict of each exit code of a job's command (design 7; 124 and 137 come from `timeout`)."""

ANSI = re.compile(r"\x1b\[[0-9;]*m")
DETAIL_AT_MOST = 240
"""Characters of an error's detail in a cell's reason."""

LOG_AT_MOST = 1 << 20
"""Bytes at the end of a log that are searched for the last error."""

NO_RESULTS = "the cell left no results"
NO_LAB = "no lab: "
"""The root conftest begins its message with this when tests have no lab."""


def decide_verdict(code: int | None, results: Results | None, bring_ups: Sequence[BringUp], *, logs: Path | None = None) -> Verdict:
    """Return how a cell ended. `results` is None without a readable JUnit file, `code` when the exit code is not known."""
    failed = [case for case in results.cases if case.outcome is StepOutcome.FAIL] if results else []
    failed_step = next((step for up in bring_ups for step in up.steps if step.outcome is StepOutcome.FAIL), None)
    why = count(len(failed) + (results.beyond[StepOutcome.FAIL] if results else 0), "test") + " failed"
    if failed_step:
        error = next(iter(failed_step.error.splitlines()), "it failed")
        why = error if error.startswith(failed_step.name) else f"{failed_step.name}: {error}"
    if code:
        outcome, reason = MEANS.get(code, (StepOutcome.FAIL, f"exit code {code}"))
        if outcome is StepOutcome.FAIL and (failed_step or (code == 1 and failed)):
            return outcome, why
        error = find_lab_error(failed) or find_last_error(logs)
        return outcome, f"{reason}: {error}" if error else reason
    if failed or failed_step:
        return StepOutcome.FAIL, why
    if results is not None:
        return judge_tests(results)
    if bring_ups:
        return (
            (StepOutcome.PASS, "")
            if bring_ups[-1].outcome is StepOutcome.PASS
            else (StepOutcome.UNKNOWN, "the journal ends before the lab was up")
        )
    return StepOutcome.UNKNOWN, NO_RESULTS + (" although it ended with exit code 0" if code == 0 else "")


def judge_tests(results: Results) -> Verdict:
    """Return the verdict of tests without a failure."""
    if results.tally[StepOutcome.PASS]:
        return StepOutcome.PASS, ""
    if not results.tally:
        return StepOutcome.UNKNOWN, "no test ran"
    most = find_worst(results.tally)
    return most, next((case.message for case in results.tests if case.outcome is most), "")


def find_lab_error(failed: Sequence[Case]) -> str:
    """Return why there was no lab, from the messages of failed tests; "" when that is not their reason."""
    message = next((case.message for case in failed if case.message.startswith(NO_LAB)), "")
    return message.removeprefix(NO_LAB).removesuffix(" (in full: the first error, and the summary)")


def find_last_error(logs: Path | None) -> str:
    """Return the last error that a command of this project printed, with the beginning of its detail; "" without one.

    An error line is followed by `where:` or `remedy:`; lines of its detail begin with `|`.
    """
    for path in sorted(logs.glob("*"), reverse=True) if logs else ():
        lines = [ANSI.sub("", line) for line in read_tail(path, LOG_AT_MOST).splitlines()]
        for number in range(len(lines) - 1, 0, -1):
            if lines[number].startswith(("  where: ", "  remedy:")):
                begin = next((at for at in range(number - 1, -1, -1) if lines[at] and not lines[at].startswith("  ")), None)
                if begin is None:
                    return ""
                detail = " ".join(line.strip(" |") for line in lines[begin:number] if line.startswith("  | "))
                return lines[begin] + (f": {shorten_detail(detail)}" if detail else "")
    return ""


def shorten_detail(text: str) -> str:
    """Return a text, cut at the limit of a detail."""
    return text if len(text) <= DETAIL_AT_MOST else f"{text[:DETAIL_AT_MOST].rstrip()} …"
