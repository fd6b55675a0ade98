"""Programs: command lines that fit, names that are safe, exit statuses that mean something."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.assets.command import CommandResult
from lab.errors import NotPossible
from lab.steps import StepOutcome
from scenarios.ci.lint.tools import LONGEST, Tool, check_files, split_batches
from scenarios.tests.ci.lint.lint_fakes import Tools, write

TOOL = Tool("tool", ("-x",), lambda: Path("/tools/tool"))


def test_twenty_thousand_long_names_never_overflow_a_command_line() -> None:
    names = [f"{'d' * 200}/{number}.yaml" for number in range(20_000)]
    batches = list(split_batches(names))

    assert [name for batch in batches for name in batch] == names
    assert max(sum(len(name) + 1 for name in batch) for batch in batches) <= LONGEST


@given(st.lists(st.text(min_size=1, max_size=30)), st.integers(1, 100))
def test_batches_hold_every_name_once_and_none_is_empty(names: list[str], longest: int) -> None:
    names = [name for name in names if name.isprintable()]
    batches = list(split_batches(names, longest))

    assert [name for batch in batches for name in batch] == names
    assert all(batches)
    assert all(len(batch) == 1 or sum(len(os.fsencode(name)) for name in batch) <= longest for batch in batches)


def test_names_are_no_options_and_no_standard_input(tmp_path: Path) -> None:
    write(tmp_path, {"-rf.yaml": "", "-": "", "a b.yaml": ""})
    tools = Tools()

    check_files(TOOL, ["-rf.yaml", "-", "a b.yaml"], tmp_path, tools)

    assert tools.ran == [("tool", ["-x", "--", "./-rf.yaml", "./-", "a b.yaml"])]


def test_a_name_that_cannot_be_printed_is_checked_by_a_copy_and_named_as_it_is(tmp_path: Path) -> None:
    names = ["n\nl.sh", os.fsdecode(b"\xff.sh")]
    write(tmp_path, dict.fromkeys(names, "x"))
    given_files: list[str] = []

    def run(argv: Sequence[str], **_: object) -> CommandResult:
        files = list(argv[list(argv).index("--") + 1 :])
        given_files.extend(files)
        assert all(Path(file).read_text() == "x" for file in files)
        return CommandResult(1, "".join(f"{file}: wrong\n" for file in files), "")

    checked = check_files(TOOL, names, tmp_path, run)

    assert all(file.isprintable() for file in given_files)
    assert "n\\nl.sh" in checked.detail
    assert not any(file in checked.detail for file in given_files)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(0, StepOutcome.PASS), (1, StepOutcome.FAIL), (2, StepOutcome.UNKNOWN), (127, StepOutcome.UNKNOWN), (-11, StepOutcome.UNKNOWN)],
)
def test_a_tool_that_crashed_has_found_nothing(tmp_path: Path, status: int, outcome: StepOutcome) -> None:
    assert check_files(TOOL, ["a"], tmp_path, Tools({"tool": status})).outcome is outcome


def test_a_finding_in_one_batch_is_not_lost_behind_a_crash_in_another(tmp_path: Path) -> None:
    statuses = iter([0, 1, 2])
    checked = check_files(
        TOOL, ["a" * 60_000, "b" * 60_000, "c" * 60_000], tmp_path, lambda *_, **__: CommandResult(next(statuses), "said", "")
    )

    assert checked.outcome is StepOutcome.FAIL


def test_a_missing_tool_lists_every_file_with_the_remedy(tmp_path: Path) -> None:
    def missing() -> Path:
        raise NotPossible("tool is not installed", remedy="install it")

    checked = check_files(Tool("tool", (), missing), ["a", "b"], tmp_path, Tools(), kind="yaml")

    assert checked.outcome is StepOutcome.UNKNOWN
    assert [(each.name, each.kind, each.check, each.why.remedy) for each in checked.unchecked] == [
        ("a", "yaml", "tool", "install it"),
        ("b", "yaml", "tool", "install it"),
    ]
