"""Cases of a cell: steps and tests, each once, with its worst outcome."""

from __future__ import annotations

from lab.steps import StepOutcome
from reports.cases import Case, find_worst, merge_cases


def test_the_worst_outcome_counts_and_none_is_unknown() -> None:
    assert find_worst([StepOutcome.PASS, StepOutcome.FAIL, StepOutcome.SKIP]) is StepOutcome.FAIL
    assert find_worst([]) is StepOutcome.UNKNOWN


def test_a_test_that_fails_in_its_teardown_is_one_case_that_failed() -> None:
    passed, failed = Case("a", "test_b", StepOutcome.PASS), Case("a", "test_b", StepOutcome.FAIL, phase="teardown")

    assert merge_cases([passed, failed], []) == merge_cases([failed, passed], []) == [failed]


def test_the_journal_knows_more_of_a_step_than_the_file_of_pytest() -> None:
    step, copy = Case("lab.up", "etcd", StepOutcome.PASS, step=True), Case("lab.up", "etcd", StepOutcome.FAIL)

    assert merge_cases([copy], [step]) == [step]
