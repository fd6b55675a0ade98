"""The cases of a cell: tests of pytest's junit.xml and steps of the lab's journal, as one kind of thing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from junitparser import Error, Failure, JUnitXml, JUnitXmlError, Skipped, TestCase, TestSuite

from lab.mask import mask
from lab.steps import Outcome
from reports.journal import Ascent

STEPS = "lab.up"
"""The class name of steps, here and in what the root conftest writes."""

UNKNOWN = re.compile(r"(?i)unknown\b[:,]? *")
"""A test that skips itself with such a reason could not be measured: it is unknown, not skipped."""

PHASE = re.compile(r'failed on (setup|teardown) with "?')
WORST = (Outcome.PASS, Outcome.SKIP, Outcome.UNKNOWN, Outcome.FAIL)


@dataclass(frozen=True)
class Case:
    """A test or a step. `message` is one line or a few, `text` is all that pytest printed of it."""

    id: str
    outcome: Outcome
    seconds: float = 0.0
    message: str = ""
    text: str = ""
    phase: str = "call"
    step: bool = False

    @property
    def name(self) -> str:
        return self.id.rpartition("::")[2]

    @property
    def home(self) -> str:
        """The file or class it is in, as pytest's junit.xml names it: scenarios.test_join."""
        return self.id.rpartition("::")[0]


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst of some outcomes; of none, unknown."""
    return max(outcomes, key=WORST.index, default=Outcome.UNKNOWN)


def of_junit(path: Path) -> list[Case]:
    """Return the cases of a junit.xml. ValueError when it is not whole."""
    try:
        xml: Any = JUnitXml.fromfile(str(path))
        suites = [xml] if isinstance(xml, TestSuite) else xml
        return [one(case) for suite in suites for case in suite]
    except SyntaxError as error:  # what its parser says of a token, a mask would take for a secret
        at = f" at line {error.lineno}" if error.lineno else ""
        raise ValueError(f"junit.xml is not whole: it breaks off or is no XML{at}") from error
    except (OSError, JUnitXmlError, ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"junit.xml is not whole: {error}") from error


def one(case: TestCase) -> Case:
    """Return one <testcase>."""
    outcome, message, text = Outcome.PASS, "", ""
    for result in case.result:
        told = str(result.message or "")
        match result:
            case Failure() | Error():
                outcome, message, text = Outcome.FAIL, told, str(result.text or "")
                break
            case Skipped():
                unknown = UNKNOWN.match(told)
                outcome, message = (Outcome.UNKNOWN, told[unknown.end() :]) if unknown else (Outcome.SKIP, told)
            case _:
                continue
    phase = PHASE.match(message)
    return Case(
        id=mask(f"{case.classname or ''}::{case.name or ''}"),  # parameters are in it; it is a name, and a key, everywhere
        outcome=outcome,
        seconds=float(case.time or 0.0),
        message=html.unescape(message[phase.end() :].rstrip('"') if phase else message),
        text=text,
        phase=phase.group(1) if phase else "call",
        step=case.classname == STEPS,
    )


def of_ascent(ascent: Ascent) -> list[Case]:
    """Return the steps of one `up`; those that did not end are unknown."""
    return [
        Case(
            id=f"{STEPS}::{step.name}",
            outcome=step.outcome,
            seconds=step.seconds,
            message=next(iter(step.error.splitlines()), "") if step.outcome is not Outcome.UNKNOWN else "it did not end",
            text=step.error,
            step=True,
        )
        for step in ascent.steps
    ]


def merged(tests: Iterable[Case], steps: Iterable[Case]) -> list[Case]:
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
