"""Read the tests of a JUnit file of any tool, complete or damaged. No outcome is lost.

Outcomes beyond the listed tests are counted. A truncated test failed when it contains a failure, else it is unknown. A suite that
counts failures but has no failed test gets a failure of its own.
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

from lab.count import count
from lab.masking.mask import mask
from lab.steps import StepOutcome
from reports.cases import STEPS, Case, find_worst
from reports.excerpt import Budget, Window
from reports.junit_events import read_events
from reports.xml_pieces import BREAKS_OFF

UNKNOWN = re.compile(r"(?i)unknown\b[:,]? *")
"""A skip reason that begins like this means that the test could not be measured: it is unknown, not skipped."""

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
"""Outcomes of the attributes `status` and `result`, for tests without a result element."""

GOOD_AT_MOST, BAD_AT_MOST = 20_000, 5_000
"""Tests that are listed for each file: passed or skipped, and failed or unknown. The others are counted."""

NAME_AT_MOST = 1000
"""Characters of a test's name."""


@dataclass(frozen=True)
class Results:
    """The tests of a file. `beyond` counts those that are not listed; `torn` describes damage, `cut` the shortened texts."""

    cases: tuple[Case, ...] = ()
    beyond: Counter[StepOutcome] = field(default_factory=Counter)
    torn: str = ""
    cut: str = ""

    @property
    def tests(self) -> list[Case]:
        """The listed tests, without the steps of `up` that pytest's file repeats."""
        return [case for case in self.cases if not case.step]

    @property
    def tally(self) -> Counter[StepOutcome]:
        """The number of tests per outcome, including those that are not listed."""
        return Counter(case.outcome for case in self.tests) + self.beyond


def read_results(path: Path) -> Results:
    """Return the results in a JUnit file. Raise ValueError when it cannot be read or is no JUnit file."""
    reader = JunitReader()
    try:
        read_events(path, reader)
    except ValueError as error:
        raise ValueError(f"junit.xml cannot be read: {error}") from error
    reader.close()
    if not reader.seen:
        raise ValueError("junit.xml is not a JUnit file: " + (reader.damages[0] if reader.damages else "it holds no test and no suite"))
    torn = f"junit.xml is not whole: {summarize_damages(reader.damages)}" if reader.damages else ""
    return Results(tuple(reader.cases), reader.beyond, torn, f"junit.xml: {reader.budget.summary}" if reader.budget.summary else "")


def summarize_damages(damages: Sequence[str]) -> str:
    """Return the first damage and the number of others; "" without damage."""
    more = f" (and {count(len(damages) - 1, 'place')} more)" if len(damages) > 1 else ""
    return damages[0] + more if damages else ""


@dataclass
class OpenTest:
    """A test that is being read. Its worst result decides."""

    home: str
    name: str
    seconds: float | None
    status: StepOutcome
    outcome: StepOutcome | None = None
    message: str = ""
    text: str = ""
    phase: str = "call"
    attempts: int = 0
    """Failed attempts before the final one."""
    of_suite: bool = False
    """It represents its suite, which failed as a whole."""


@dataclass
class OpenSuite:
    """A suite that is being read: the failures that it declares (`counted`) and those that its tests contain (`found`)."""

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
        """Begin a suite, a test or a result; ignore other elements."""
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
        """Add to the text of the open result."""
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
        """Finish the open elements with what was read of them, and record the damage."""
        self.damages.append(why)
        if tag == "testcase":
            self._finish("a test begins within it")
            self._test = self._begun(attributes)
        elif tag in FAILED | RERUN and self._test and not self._result:
            self._result, self._message = tag, "its text is damaged in the file"
        self._finish("the file breaks off in it" if why.endswith(BREAKS_OFF) else f"the file is damaged in it ({why})")

    def close(self) -> None:
        """Finish the elements that are open at the end of the file."""
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
        """Add a result to the test: the worst decides; the texts of all failures are kept."""
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
        """Finish the open test, if any. A damaged one failed when it contains a failure, else it is unknown."""
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
            message = f"it passed after {count(test.attempts, 'failed attempt')}"
        elif outcome is StepOutcome.FAIL and test.outcome is not StepOutcome.FAIL:
            message = "its status attribute is a failure"
        self._add(Case(test.home, test.name, outcome, test.seconds, message, test.text, test.phase, step=test.home == STEPS))

    def _finish_suite(self) -> None:
        """End a suite. Add a failure when it declares failures and none of its tests failed."""
        self._finish("its suite ends within it")
        suite = self._suites[-1]
        if suite.counted and not suite.found:
            message = f"the suite counts {count(suite.counted, 'failure')}, and none of its tests failed"
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
    """Return the name of a class or test, masked: it contains parameters."""
    return mask(text)


def shorten_name(name: str) -> str:
    """Return a name cut to the limit; a hash keeps it unique."""
    if len(name) <= NAME_AT_MOST:
        return name
    return f"{name[:NAME_AT_MOST]}… ({len(name)} characters, {hashlib.sha256(name.encode()).hexdigest()[:8]})"


def parse_seconds(text: str | None) -> float | None:
    """Return the seconds of a `time` attribute; None when they are invalid or out of range."""
    if not text or not SECONDS.fullmatch(text.strip()):
        return None
    seconds = float(text)
    return seconds if math.isfinite(seconds) and seconds <= SECONDS_AT_MOST else None


def parse_status(attributes: dict[str, str]) -> StepOutcome:
    """Return the outcome of a test's status attributes; a test without any passed."""
    found = [STATUS[word] for key in ("status", "result") if (word := re.sub(r"[^a-z]", "", attributes.get(key, "").lower())) in STATUS]
    return find_worst(found) if found else StepOutcome.PASS


def count_failures(attributes: dict[str, str]) -> int:
    """Return the number of failures and errors that a suite declares."""
    return sum(int(attributes[key]) for key in ("failures", "errors") if re.fullmatch(r"\s*[0-9]{1,9}\s*", attributes.get(key, "")))
