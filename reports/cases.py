"""The cases of a cell: tests of a JUnit file and steps of the lab's journal, in one type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lab.steps import StepOutcome
from reports.journal import BringUp

STEPS = "lab.up"
"""The class name of steps, here and in the JUnit file of the root conftest."""

WORST = (StepOutcome.PASS, StepOutcome.SKIP, StepOutcome.UNKNOWN, StepOutcome.FAIL)


@dataclass(frozen=True, slots=True)
class Case:
    """A test or a step. `message` is a few lines, `text` the full output; `seconds` is None when unknown."""

    home: str
    """The file, class or suite it is in, as a JUnit file names it: scenarios.test_join."""
    name: str
    """With its parameters, which may contain any character: test_reaches[::1]."""
    outcome: StepOutcome
    seconds: float | None = None
    message: str = ""
    text: str = ""
    phase: str = "call"
    step: bool = False

    @property
    def id(self) -> str:
        """Its identity in the history, in failures and in lists of flakes."""
        return f"{self.home}::{self.name}"


def find_worst(outcomes: Iterable[StepOutcome]) -> StepOutcome:
    """Return the worst outcome; unknown when there are none."""
    return max(outcomes, key=WORST.index, default=StepOutcome.UNKNOWN)


def list_step_cases(ascent: BringUp) -> list[Case]:
    """Return the steps of one `up`; unfinished ones are unknown."""
    return [
        Case(
            home=STEPS,
            name=step.name,
            outcome=step.outcome,
            seconds=step.seconds,
            message=next(iter(step.error.splitlines()), "") if step.outcome is not StepOutcome.UNKNOWN else "it did not end",
            text=step.error,
            step=True,
        )
        for step in ascent.steps
    ]


def merge_cases(tests: Iterable[Case], steps: Iterable[Case]) -> list[Case]:
    """Return steps and tests, each id once with its worst outcome: pytest writes a test that fails in its teardown twice.

    Steps come from the journal, which knows more than pytest's file.
    """
    known: dict[str, Case] = {}
    journalled = list(steps)
    names = {case.id for case in journalled}
    for case in [*journalled, *(case for case in tests if case.id not in names)]:
        before = known.get(case.id)
        if before is None or WORST.index(case.outcome) > WORST.index(before.outcome):
            known[case.id] = case
    return list(known.values())
