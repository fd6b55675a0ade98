"""How a cell ended: what its exit code, its tests and its lab's journal say together. Nothing is green that proved nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lab.steps import StepOutcome
from lab.terminal.text import count
from reports.cases import Case, find_worst
from reports.files import read_tail
from reports.journal import BringUp
from reports.junit_results import Results

Verdict = tuple[StepOutcome, str]
"""An outcome, and the reason where it is not a pass."""

MEANS: dict[int, Verdict] = {
    1: (StepOutcome.FAIL, "tests failed"),
    2: (StepOutcome.FAIL, "the words of a command were wrong"),
    3: (StepOutcome.UNKNOWN, "not possible on this machine"),
    4: (StepOutcome.FAIL, "the lab did not come up"),
    5: (StepOutcome.UNKNOWN, "no test ran"),
    6: (StepOutcome.FAIL, "slower than the target"),
    7: (StepOutcome.FAIL, "something was left behind"),
    124: (StepOutcome.UNKNOWN, "the job ran out of time"),
    130: (StepOutcome.UNKNOWN, "interrupted"),
    137: (StepOutcome.UNKNOWN, "killed"),
    143: (StepOutcome.UNKNOWN, "interrupted"),
}
"""What an exit code of a job's command says (design 7; 124 and 137 are those of `timeout`)."""

ANSI = re.compile(r"\x1b\[[0-9;]*m")
DETAIL_AT_MOST = 240
"""Characters of an error's detail that a cell's reason has."""

LOG_AT_MOST = 1 << 20
"""Bytes of the end of a log in which the last error is looked for."""

NO_RESULTS = "it left no results"
NO_LAB = "no lab: "
"""How the root conftest begins what it tells the tests of a lab that is not there."""


def decide_verdict(code: int | None, results: Results | None, ups: Sequence[BringUp], *, logs: Path | None = None) -> Verdict:
    """Return how a cell ended. `results` is None where no JUnit file can be read; `code` where nobody told it."""
    failed = [case for case in results.cases if case.outcome is StepOutcome.FAIL] if results else []
    failed_step = next((step for up in ups for step in up.steps if step.outcome is StepOutcome.FAIL), None)
    why = count(len(failed) + (results.beyond[StepOutcome.FAIL] if results else 0), "test") + " failed"
    if failed_step:
        said = next(iter(failed_step.error.splitlines()), "it failed")
        why = said if said.startswith(failed_step.name) else f"{failed_step.name}: {said}"
    if code:
        outcome, reason = MEANS.get(code, (StepOutcome.FAIL, f"exit code {code}"))
        if outcome is StepOutcome.FAIL and (failed_step or (code == 1 and failed)):
            return outcome, why
        said = find_lab_error(failed) or find_last_error(logs)
        return outcome, f"{reason}: {said}" if said else reason
    if failed or failed_step:
        return StepOutcome.FAIL, why
    if results is not None:
        return judge_tests(results)
    if ups:
        return (
            (StepOutcome.PASS, "")
            if ups[-1].outcome is StepOutcome.PASS
            else (StepOutcome.UNKNOWN, "its journal ends before the lab was up")
        )
    return StepOutcome.UNKNOWN, NO_RESULTS + (" although it ended with exit code 0" if code == 0 else "")


def judge_tests(results: Results) -> Verdict:
    """Return what tests of which none failed amount to."""
    if results.tally[StepOutcome.PASS]:
        return StepOutcome.PASS, ""
    if not results.tally:
        return StepOutcome.UNKNOWN, "no test ran"
    most = find_worst(results.tally)
    return most, next((case.message for case in results.tests if case.outcome is most), "")


def find_lab_error(failed: Sequence[Case]) -> str:
    """Return why there was no lab, when that is what the tests say."""
    told = next((case.message for case in failed if case.message.startswith(NO_LAB)), "")
    return told.removeprefix(NO_LAB).removesuffix(" (in full: the first error, and the summary)")


def find_last_error(logs: Path | None) -> str:
    """Return the sentence of the last error that a command of ours printed, with the beginning of its detail; "" if none did.

    `where:` or `remedy:` follow it, and its detail is set off by `|`.
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
    """Return the beginning of a text that is too long for a sentence."""
    return text if len(text) <= DETAIL_AT_MOST else f"{text[:DETAIL_AT_MOST].rstrip()} …"
