"""What a JUnit file tells: its tests with their outcomes, whoever wrote it and however it ends. No outcome is ever lost.

Outcomes of tests beyond those that are listed are counted; a test that breaks off failed when it says so and is unknown otherwise; a suite
that counts failures of which no test tells has one of its own.
"""

from __future__ import annotations

import hashlib
import html
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from lab.masking.mask import mask
from lab.steps import StepOutcome
from lab.terminal.text import count
from reports.cases import STEPS, Case, find_worst
from reports.excerpt import Budget, Window
from reports.junit_events import read_events
from reports.xml_pieces import BREAKS_OFF

UNKNOWN = re.compile(r"(?i)unknown\b[:,]? *")
"""A test that skips itself with such a reason could not be measured: it is unknown, not skipped."""

PHASE = re.compile(r'failed on (setup|teardown) with "?')
SECONDS = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?")
SECONDS_AT_MOST = 10 * 365 * 86400
FAILED = frozenset({"failure", "error"})
RERUN = frozenset({"rerunFailure", "rerunError"})
FLAKY = frozenset({"flakyFailure", "flakyError"})
RESULTS = FAILED | RERUN | FLAKY | {"skipped"}
STATUS = dict.fromkeys(("failed", "fail", "failure", "error", "errored", "broken", "timedout", "timeout", "crashed"), StepOutcome.FAIL)
STATUS |= dict.fromkeys(("skipped", "skip", "notrun", "disabled", "suppressed", "ignored", "pending", "todo"), StepOutcome.SKIP)
STATUS |= dict.fromkeys(("unknown", "inconclusive", "aborted"), StepOutcome.UNKNOWN)
"""What the attributes `status` and `result` say, where an element of its own says nothing."""

GOOD_AT_MOST, BAD_AT_MOST = 20_000, 5_000
"""Tests of one file that are listed, of those that passed or were skipped and of those that failed or are unknown; the rest is counted."""

NAME_AT_MOST = 1000
"""Characters of a test's name."""


@dataclass(frozen=True)
class Results:
    """The tests of a file. `beyond` counts those that are not listed; `torn` says what is damaged, `cut` which texts are shortened."""

    cases: tuple[Case, ...] = ()
    beyond: Counter[StepOutcome] = field(default_factory=Counter)
    torn: str = ""
    cut: str = ""

    @property
    def tests(self) -> list[Case]:
        """The tests that are listed, without the steps of `up` that pytest's file tells too."""
        return [case for case in self.cases if not case.step]

    @property
    def tally(self) -> Counter[StepOutcome]:
        """How many tests ended how, with those that are not listed."""
        return Counter(case.outcome for case in self.tests) + self.beyond


def read_results(path: Path) -> Results:
    """Return what a JUnit file tells. ValueError when it tells nothing at all: it cannot be read, or is no JUnit file."""
    reader = JunitReader()
    try:
        read_events(path, reader)
    except ValueError as error:
        raise ValueError(f"junit.xml cannot be read: {error}") from error
    reader.close()
    if not reader.seen:
        raise ValueError("junit.xml is not a JUnit file: " + (reader.damages[0] if reader.damages else "it holds no test and no suite"))
    torn = f"junit.xml is not whole: {summarize_damages(reader.damages)}" if reader.damages else ""
    return Results(tuple(reader.cases), reader.beyond, torn, f"junit.xml: {reader.budget.told}" if reader.budget.told else "")


def summarize_damages(damages: Sequence[str]) -> str:
    """Return the first of some damages, and how many more there are; "" where there is none."""
    more = f" (and {count(len(damages) - 1, 'place')} more)" if len(damages) > 1 else ""
    return damages[0] + more if damages else ""


@dataclass
class OpenTest:
    """A test that is being read: the worst of its results decides."""

    home: str
    name: str
    seconds: float | None
    status: StepOutcome
    outcome: StepOutcome | None = None
    message: str = ""
    text: str = ""
    phase: str = "call"
    attempts: int = 0
    """Attempts that failed before the one that counts."""
    of_suite: bool = False
    """It stands for its suite, which failed as a whole."""


@dataclass
class OpenSuite:
    """A suite that is being read: how many failures it counts, and how many of its tests tell one."""

    name: str
    counted: int
    found: int = 0


class JunitReader:
    """Makes cases of the elements of a JUnit file."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.beyond: Counter[StepOutcome] = Counter()
        self.listed: Counter[bool] = Counter()
        self.damages: list[str] = []
        self.budget = Budget()
        self.seen = False
        self._suites: list[OpenSuite] = []
        self._test: OpenTest | None = None
        self._nameless = 0
        self._result = ""
        self._text = Window()
        self._message = ""
        self._dropped = 0

    # -- elements ----------------------------------------------------------------------------------------------------------------------

    def start(self, name: str, attributes: dict[str, str], dropped: int) -> None:
        """Begin a suite, a test or a result; other elements are passed over."""
        if name in {"testsuite", "testsuites"}:
            self.seen = True
            self._suites.append(OpenSuite(attributes.get("name", "") if name == "testsuite" else "", count_failures(attributes)))
        elif name == "testcase":
            self.seen = True
            self._finish("a test begins within it")
            self._test = self._begun(attributes)
        elif name in RESULTS and not self._result:
            self._result, self._text = name, Window()
            self._message, self._dropped = attributes.get("message") or "", dropped
            if self._test is None and name in FAILED:
                self._test = self._begun({"name": "the suite as a whole"}, of_suite=True)

    def text(self, text: str) -> None:
        """Keep what a result says."""
        if self._result:
            self._text.add(text)

    def end(self, name: str) -> None:
        """End a result, a test or a suite."""
        if name == self._result:
            self._finish_result()
            if self._test and self._test.of_suite:
                self._finish()
        elif name == "testcase":
            self._finish()
        elif name in {"testsuite", "testsuites"} and self._suites:
            self._finish_suite()

    def damage(self, why: str, tag: str, attributes: dict[str, str]) -> None:
        """Finish what is open, as far as it is known, and remember the damage."""
        self.damages.append(why)
        if tag == "testcase":
            self._finish("a test begins within it")
            self._test = self._begun(attributes)
        elif tag in FAILED | RERUN and self._test and not self._result:
            self._result, self._message = tag, "what it says is damaged in the file"
        self._finish("the file breaks off in it" if why.endswith(BREAKS_OFF) else f"the file is damaged in it ({why})")

    def close(self) -> None:
        """Finish what the end of the file has left open."""
        if self._test or self._suites:
            if not self.damages:
                self.damages.append(BREAKS_OFF)
            self._finish("the file breaks off in it")
            while self._suites:
                self._finish_suite()

    # -- tests -------------------------------------------------------------------------------------------------------------------------

    @property
    def _suite(self) -> str:
        return ".".join(suite.name for suite in self._suites if suite.name)

    def _begun(self, attributes: dict[str, str], *, of_suite: bool = False) -> OpenTest:
        name = attributes.get("name", "")
        if not name.strip():
            self._nameless += 1
            name = f"test {self._nameless} without a name"
        return OpenTest(
            home=attributes.get("classname") or self._suite,
            name=name,
            seconds=parse_seconds(attributes.get("time")),
            status=parse_status(attributes),
            of_suite=of_suite,
        )

    def _finish_result(self) -> None:
        """Add a result to the test: the worst counts, and of several failures all texts are kept."""
        name, test, message = self._result, self._test, self._message
        self._result, self._message = "", ""
        if test is None:
            return
        if name in FLAKY:
            test.attempts += 1
            return
        phase = PHASE.match(message)
        if phase:
            test.phase, message = phase[1], message[phase.end() :].rstrip('"')
        message = self.budget.excerpt(html.unescape(message), self._dropped)
        text = self.budget.excerpt(self._text.text, self._text.dropped)
        if name == "skipped":
            if test.outcome is None:
                why = message or next((line.strip() for line in text.splitlines() if line.strip()), "")
                unknown = UNKNOWN.match(why)
                test.outcome, test.message = (StepOutcome.UNKNOWN, why[unknown.end() :]) if unknown else (StepOutcome.SKIP, why)
        elif test.outcome is StepOutcome.FAIL:
            test.message, test.text = test.message or message, "\n\n".join(part for part in (test.text, text) if part)
        else:
            test.outcome, test.message, test.text = StepOutcome.FAIL, message, text

    def _finish(self, damaged: str = "") -> None:
        """Finish the test that is open, if one is. One that is damaged failed where it says so, and is unknown otherwise."""
        if self._result:
            self._finish_result()
        test, self._test = self._test, None
        if test is None:
            return
        outcome = find_worst((test.outcome or test.status, test.status)) if test.status is StepOutcome.FAIL else test.outcome or test.status
        message = test.message
        if damaged and outcome is not StepOutcome.FAIL:
            outcome, message = StepOutcome.UNKNOWN, damaged
        elif outcome is StepOutcome.PASS and test.attempts:
            message = f"it passed after {count(test.attempts, 'attempt')} that failed"
        elif outcome is StepOutcome.FAIL and test.outcome is not StepOutcome.FAIL:
            message = "its status says that it failed"
        self._add(Case(test.home, test.name, outcome, test.seconds, message, test.text, test.phase, step=test.home == STEPS))

    def _finish_suite(self) -> None:
        """End a suite. One that counts failures of which no test told has a failure of its own."""
        self._finish("its suite ends within it")
        suite = self._suites[-1]
        if suite.counted and not suite.found:
            message = f"the suite counts {count(suite.counted, 'failure')}, and no test in it tells one"
            self._add(Case(self._suite, "the suite as a whole", StepOutcome.FAIL, None, message))
        self._suites.pop()
        if self._suites:
            self._suites[-1].found += suite.found

    def _add(self, case: Case) -> None:
        bad = case.outcome in {StepOutcome.FAIL, StepOutcome.UNKNOWN}
        if self._suites and case.outcome is StepOutcome.FAIL:
            self._suites[-1].found += 1
        if self.listed[bad] >= (BAD_AT_MOST if bad else GOOD_AT_MOST):
            self.beyond[case.outcome] += 1
            return
        self.listed[bad] += 1
        self.cases.append(replace(case, home=mask_name(shorten_name(case.home)), name=mask_name(shorten_name(case.name))))


@lru_cache(maxsize=256)
def mask_name(text: str) -> str:
    """Return a class or the name of a test masked; parameters are in it, and it is a key everywhere."""
    return mask(text)


def shorten_name(name: str) -> str:
    """Return a name that is no longer than a name, and as much a key as before."""
    if len(name) <= NAME_AT_MOST:
        return name
    return f"{name[:NAME_AT_MOST]}… ({len(name)} characters, {hashlib.sha256(name.encode()).hexdigest()[:8]})"


def parse_seconds(text: str | None) -> float | None:
    """Return a duration as a JUnit file has it; None where it is none that anything can have taken."""
    if not text or not SECONDS.fullmatch(text.strip()):
        return None
    seconds = float(text)
    return seconds if math.isfinite(seconds) and seconds <= SECONDS_AT_MOST else None


def parse_status(attributes: dict[str, str]) -> StepOutcome:
    """Return what the attributes of a test say of it; without a word it passed."""
    said = [STATUS[word] for key in ("status", "result") if (word := re.sub(r"[^a-z]", "", attributes.get(key, "").lower())) in STATUS]
    return find_worst(said) if said else StepOutcome.PASS


def count_failures(attributes: dict[str, str]) -> int:
    """Return how many failures and errors a suite counts."""
    return sum(int(attributes[key]) for key in ("failures", "errors") if re.fullmatch(r"\s*[0-9]{1,9}\s*", attributes.get(key, "")))
