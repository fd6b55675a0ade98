"""JUnit files of many shapes."""

from __future__ import annotations

from lab.steps import StepOutcome
from reports.junit_results import Results

A, B = '<testcase name="a"/>', '<testcase name="b"><failure message="no">text</failure></testcase>'
MANY_RESULTS = """
    <testcase name="a"><flakyFailure message="x"><stackTrace>y</stackTrace></flakyFailure></testcase>
    <testcase name="b"><failure message="1"/><rerunFailure message="2"><stackTrace>z</stackTrace></rerunFailure></testcase>
    <testcase name="c"><skipped message="later"/><failure message="q">w</failure></testcase>
    <testcase name="d"><failure message="1">one</failure><error message="2">two</error></testcase>
    <testcase name="e"><skipped>unknown: no kernel</skipped></testcase>
    <testcase name="f"><error/><skipped/></testcase>
    <testcase name="g"><rerunError message="r"/></testcase>"""


def suite(*tests: str, more: str = "") -> str:
    return f'<testsuites><testsuite name="s"{more}>{"".join(tests)}</testsuite></testsuites>'


def outcomes_of(found: Results) -> list[tuple[str, StepOutcome]]:
    return [(case.name, case.outcome) for case in found.cases]
