"""Check scripts: shells with shellcheck, Python by compiling it."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from lab.assets.command import CommandRunner
from lab.steps import StepOutcome
from scenarios.ci.lint.coverage import Checked, Reason, Unchecked, show_name
from scenarios.ci.lint.kinds import LintSource
from scenarios.ci.lint.tools import SHELLCHECK, check_files


def check_shell(scripts: Sequence[LintSource], root: Path, run: CommandRunner) -> Checked:
    """Run shellcheck, once for scripts with a dialect that it detects and once for each dialect that must be given."""
    by_option: dict[str, list[str]] = defaultdict(list)
    for script in scripts:
        by_option[script.shell_option].append(script.name)
    checks = [
        check_files(SHELLCHECK, names, root, run, *(["--shell", option] if option else []), kind="shell")
        for option, names in sorted(by_option.items())
    ] or [check_files(SHELLCHECK, [], root, run)]
    worst = next(
        outcome
        for outcome in (StepOutcome.FAIL, StepOutcome.UNKNOWN, StepOutcome.PASS, StepOutcome.SKIP)
        if any(each.outcome is outcome for each in checks)
    )
    return Checked(
        SHELLCHECK.name,
        worst,
        "\n".join(dict.fromkeys(each.detail for each in checks if each.detail)),
        sum(each.files for each in checks),
        tuple(each for check in checks for each in check.unchecked),
    )


def check_python(scripts: Sequence[LintSource]) -> Checked:
    """Compile Python files. Python 2 files are listed as unchecked."""
    wrong, unchecked = [], []
    for script in scripts:
        try:
            with warnings.catch_warnings(action="ignore"):
                compile(script.text, script.name.encode("utf-8", "backslashreplace"), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            message = str(error)
            if "Missing parentheses in call to" in message or "multiple exception types must be parenthesized" in message:
                unchecked.append(Unchecked(script.name, "python", Reason.PYTHON_2.value, "python"))
            elif "{{" in script.text or "{%" in script.text:
                unchecked.append(Unchecked(script.name, "python", Reason.TEMPLATED.value, "python"))
            else:
                wrong.append(f"{show_name(script.name)}: {message}")
        except (RecursionError, MemoryError):
            unchecked.append(Unchecked(script.name, "python", Reason.TOO_DEEP.value, "python"))
    outcome = StepOutcome.FAIL if wrong else StepOutcome.PASS if scripts else StepOutcome.SKIP
    return Checked("python", outcome, "\n".join(wrong) or ("" if scripts else "no files for it"), len(scripts), tuple(unchecked))
