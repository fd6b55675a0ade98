"""Print what was checked and what was not, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lab.count import count
from lab.steps import StepOutcome
from lab.terminal.text import Look, format_table
from scenarios.ci.lint.coverage import Checked, Lint, Reason, show_name

STYLES = {"pass": ("green",), "fail": ("red",), "unknown": ("yellow",)}


def print_checks(checks: Sequence[Checked], *, look: Look) -> None:
    """Print a table of checks, then the complete output of those that failed."""
    rows = [("OUTCOME", "CHECK", "DETAIL")]
    for each in checks:
        first = (each.detail.splitlines() or [""])[0]
        rows.append((each.outcome.value, show_name(each.name), first or f"{count(each.files, 'file')} checked"))
    print("\n".join(format_table(rows, look=look, styles=STYLES)))
    for each in checks:
        if each.outcome is StepOutcome.FAIL or (each.outcome is StepOutcome.UNKNOWN and "\n" in each.detail):
            print(f"\n{look.paint(show_name(each.name), 'bold')}\n{each.detail}")


def print_lint(lint: Lint, *, look: Look) -> None:
    """Print the checks, every file that was not checked, and how many files of each kind were."""
    print_checks(lint.checks, look=look)
    named = [each for each in lint.listed if each.why != Reason.NO_CHECKER.value]
    if named:
        print(f"\n{look.paint('not checked', 'bold')}")
        for each in named:
            files = f" ({count(each.files, 'file')})" if each.kind == "folder" else ""
            by = f"by {each.check}: " if each.check else ""
            print(f"{show_name(each.name)}{files}: {by}{each.why.text}{f'; {each.why.remedy}' if each.why.remedy else ''}")
    rows = [("KIND", "CHECKED", "IN PART", "NOT CHECKED")]
    without = Counter(each.kind for each in lint.listed if each.why == Reason.NO_CHECKER.value)
    for kind, numbers in lint.summarize().items():
        if kind not in without:
            rows.append((kind, str(numbers["checked"]), str(numbers["partly_checked"]), str(numbers["not_checked"])))
    print()
    print("\n".join(format_table(rows, look=look)))
    if without:
        listed = ", ".join(f"{kind} {number}" for kind, number in without.most_common())
        print(f"no checker exists for {count(sum(without.values()), 'file')}: {listed} (-o json names them)")
