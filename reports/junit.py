"""`lab report junit`: one JUnit file of all cells: one suite per cell, with its tests and the steps of the lab as cases.

JUnit has no unknown outcome: such a case is written as skipped with "unknown:" before its reason, so that no reader counts it as passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from lab.masking.mask import mask
from lab.run import write_private
from lab.steps import StepOutcome
from reports.cases import Case
from reports.cell import PARTS
from reports.evaluate import ClassifiedFailure, EvaluatedCell
from reports.report import Report
from reports.xml_pieces import clean_xml_text

CELL = "lab.cell"
"""The class name of the case for the outcome of a cell that no test or step explains."""


def write_file(report: Report, path: Path) -> None:
    """Write the file atomically."""
    merged: Any = JUnitXml("karmada-lab")  # typed in part
    for each in report.cells:
        merged.add_testsuite(make_suite(each))
    merged.update_statistics()
    text = merged.tostring()
    write_private(path, text if isinstance(text, bytes) else text.encode(), mode=0o644)


def make_suite(examined: EvaluatedCell) -> TestSuite:
    """Return a cell as a suite."""
    cell = examined.cell
    made = TestSuite(clean_text(cell.name))
    if cell.started:
        made.timestamp = datetime.fromtimestamp(cell.started, UTC).isoformat(timespec="seconds")
    for part in PARTS:
        made.add_property(part, clean_text(getattr(cell, part)))
    made.add_property("outcome", examined.outcome.value)
    owners = {each.failure.name: each for each in examined.failures}
    for name, judged in owners.items():
        made.add_property(
            f"owner: {clean_text(name)}", f"{judged.classification.owner.value} ({clean_text(judged.classification.because)})"
        )
    for note in examined.notes:
        made.add_property("note", clean_text(note))
    for what in examined.left_out:
        made.add_property("left out", clean_text(what))
    for case in examined.cases:
        made.add_testcase(make_test_case(case, cell.name, owners.get(case.id) or owners.get(case.name)))
    for case in list_cell_cases(examined):
        made.add_testcase(make_test_case(case, cell.name, owners.get(cell.name)))
    return made


def clean_text(text: str) -> str:
    """Return a text that is valid in XML, masked. Terminal colours are removed first: they may be inside a secret."""
    return mask(clean_xml_text(text))


def list_cell_cases(examined: EvaluatedCell) -> Iterator[Case]:
    """Yield a case for the cell itself when none of its cases has its outcome."""
    if examined.outcome not in {case.outcome for case in examined.cases} or not examined.cases:
        yield Case(CELL, examined.cell.name, examined.outcome, examined.cell.seconds, examined.reason)


def make_test_case(case: Case, cell: str, judged: ClassifiedFailure | None) -> TestCase:
    """Return a case for JUnit. Its class name begins with the cell, so that the same test in two cells is two tests."""
    seconds = None if case.seconds is None else round(case.seconds, 3)
    made = TestCase(clean_text(case.name), f"{clean_text(cell)}.{clean_text(case.home)}", seconds)
    message = clean_text(case.message)
    match case.outcome:
        case StepOutcome.FAIL:
            kind = judged.classification.owner.value if judged else ""
            result = (Failure if case.phase == "call" else Error)(message, kind)
            result.text = clean_text(case.text)
            made.result = [result]
        case StepOutcome.SKIP:
            made.result = [Skipped(message)]
        case StepOutcome.UNKNOWN:
            made.result = [Skipped(f"unknown: {message or 'it did not end'}")]
        case StepOutcome.PASS:
            pass
    return made
