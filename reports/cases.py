"""The cases of a cell: tests of a JUnit file and steps of the lab's journal, as one kind of thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lab.steps import StepOutcome
from reports.journal import BringUp

STEPS = "lab.up"
"""The class name of steps, here and in what the root conftest writes."""

WORST = (StepOutcome.PASS, StepOutcome.SKIP, StepOutcome.UNKNOWN, StepOutcome.FAIL)


@dataclass(frozen=True, slots=True)
class Case:
    """A test or a step. `message` is one line or a few, `text` is all that it printed; `seconds` is None where nobody knows them."""

    home: str
    """The file, class or suite it is in, as a JUnit file names it: scenarios.test_join."""
    name: str
    """With its parameters, in which anything may stand: test_reaches[::1]."""
    outcome: StepOutcome
    seconds: float | None = None
    message: str = ""
    text: str = ""
    phase: str = "call"
    step: bool = False

    @property
    def id(self) -> str:
        """What names it in history, in failures and in lists of flakes."""
        return f"{self.home}::{self.name}"


def find_worst(outcomes: Iterable[StepOutcome]) -> StepOutcome:
    """Return the worst of some outcomes; of none, unknown."""
    return max(outcomes, key=WORST.index, default=StepOutcome.UNKNOWN)


def list_step_cases(ascent: BringUp) -> list[Case]:
    """Return the steps of one `up`; those that did not end are unknown."""
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
    """Return steps and tests, each id once: its worst, since pytest tells a test that failed in its teardown twice.

    Steps that pytest's file tells too are the journal's, which knows more.
    """
    known: dict[str, Case] = {}
    journalled = list(steps)
    names = {case.id for case in journalled}
    for case in [*journalled, *(case for case in tests if case.id not in names)]:
        before = known.get(case.id)
        if before is None or WORST.index(case.outcome) > WORST.index(before.outcome):
            known[case.id] = case
    return list(known.values())
