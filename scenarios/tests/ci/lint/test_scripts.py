"""Scripts of shells and of Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.steps import StepOutcome
from scenarios.ci.lint.kinds import LintSource
from scenarios.ci.lint.scripts import check_python, check_shell
from scenarios.tests.ci.lint.lint_fakes import Tools


@pytest.mark.usefixtures("installed")
def test_a_dialect_is_named_only_where_shellcheck_cannot_see_it(tmp_path: Path) -> None:
    tools = Tools()
    checked = check_shell([LintSource("a", "shell"), LintSource("b", "shell", "", "bash"), LintSource("c", "shell")], tmp_path, tools)

    assert [args for _, args in tools.ran] == [["--", "a", "c"], ["--shell", "bash", "--", "b"]]
    assert (checked.outcome, checked.files) == (StepOutcome.PASS, 3)


@pytest.mark.usefixtures("installed")
def test_no_scripts_is_nothing_to_check(tmp_path: Path) -> None:
    assert check_shell([], tmp_path, Tools()).outcome is StepOutcome.SKIP


def test_python_is_compiled_and_not_run() -> None:
    checked = check_python([LintSource("a", "python", "raise SystemExit\n"), LintSource("b", "python", "def:\n")])

    assert (checked.outcome, checked.detail.startswith("b: ")) == (StepOutcome.FAIL, True)


@pytest.mark.parametrize("text", ["print 'x'\n", "{% if a %}\nb = 1\n", "a = {{ b }} c\n"])
def test_python_2_and_templates_are_listed(text: str) -> None:
    checked = check_python([LintSource("a", "python", text)])

    assert (checked.outcome, [each.name for each in checked.unchecked]) == (StepOutcome.PASS, ["a"])


def test_deep_python_is_no_crash() -> None:
    assert check_python([LintSource("a", "python", "(" * 100_000)]).outcome in {StepOutcome.PASS, StepOutcome.FAIL}
