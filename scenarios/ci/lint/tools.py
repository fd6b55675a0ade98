"""Run the programs that check files: in batches that fit into one command line, and with names that a program can print."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployers.release import make_supply
from lab.assets.command import CommandResult, CommandRunner
from lab.errors import LabError, NotPossible
from lab.steps import StepOutcome
from scenarios.ci.lint.coverage import Checked, Unchecked, Why, show_name
from scenarios.matrix.definition import HERE

ROOT = HERE.parent
GITHUB = ROOT / ".github"
LONGEST = 100_000
"""Bytes of names in one command line: Linux allows 128 KiB for a single one and, with the usual stack of 8 MiB, 2 MiB for all."""
ENV = {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8:backslashreplace"}


@dataclass(frozen=True)
class Tool:
    """A program that checks files. `path` returns it or raises NotPossible with the way to get it; `findings` are exit statuses."""

    name: str
    args: tuple[str, ...]
    path: Callable[[], Path]
    findings: frozenset[int] = frozenset({1})


def find_installed(program: str, how: str) -> Callable[[], Path]:
    """Return a finder of a program of the virtual environment, or of this computer."""

    def find() -> Path:
        beside = Path(sys.executable).parent / program
        found = beside if beside.exists() else shutil.which(program)
        if not found:
            raise NotPossible(f"{program} is not installed", remedy=how)
        return Path(found)

    return find


def find_asset(name: str) -> Callable[[], Path]:
    """Return a finder of a pinned program."""
    return lambda: next(iter(make_supply().resolve([name]).values()))


YAMLLINT = Tool("yamllint", (), find_installed("yamllint", "make setup"))
SHELLCHECK = Tool("shellcheck", (), find_installed("shellcheck", "make setup, or apt-get install shellcheck"))
ACTIONLINT = Tool("actionlint", ("-no-color",), find_asset("actionlint"))
ZIZMOR = Tool("zizmor", ("--offline", "--no-progress", "--quiet"), find_installed("zizmor", "make setup"), frozenset({10, 11, 12, 13, 14}))
ANSIBLE = Tool(
    "ansible-lint", ("--offline", "--nocolor", "-q", "-f", "codeclimate"), find_installed("ansible-lint", "make setup-lint"), frozenset({2})
)
HELM = Tool("helm", (), find_asset("helm"))


def check_files(
    tool: Tool, names: Sequence[str], root: Path, run: CommandRunner, *args: str, kind: str = "", path_of: Tool | None = None
) -> Checked:
    """Run a tool on files by relative name and return its outcome; the files are unchecked when it cannot run.

    `kind` is what unchecked files are listed as; `path_of` is another program that the tool uses when it finds it.
    """
    if not names:
        return Checked(tool.name, StepOutcome.SKIP, "no files for it")
    try:
        program = tool.path()
        beside = [str(path_of.path().parent)] if path_of else []
    except LabError as error:
        return missing_tool(tool.name, names, kind, error)
    env = {**ENV, "PATH": os.pathsep.join([*beside, str(program.parent), os.environ.get("PATH", "")])}
    outputs, outcome = [], StepOutcome.PASS
    for ran in run_batches([str(program), *tool.args, *args], names, root, run, env):
        if ran.status == 0:
            continue
        outputs.append("\n".join(part.strip() for part in (ran.stdout, ran.stderr) if part.strip()))
        if ran.status not in tool.findings:
            outputs[-1] = f"{tool.name} ended with status {ran.status}: {outputs[-1]}"
        if ran.status in tool.findings or outcome is StepOutcome.PASS:
            outcome = StepOutcome.FAIL if ran.status in tool.findings else StepOutcome.UNKNOWN
    return Checked(tool.name, outcome, "\n".join(outputs), len(names))


def missing_tool(check: str, names: Sequence[str], kind: str, error: LabError) -> Checked:
    """Return the unknown outcome of a check that has no program, with every file that it did not check."""
    why = Why(error.what, error.remedy or "see what went wrong")
    detail = f"{error.what}: {error.remedy or error.detail or ''}"
    return Checked(check, StepOutcome.UNKNOWN, detail, unchecked=tuple(Unchecked(name, kind, why, check) for name in names))


def run_batches(argv: Sequence[str], names: Sequence[str], root: Path, run: CommandRunner, env: dict[str, str]) -> Iterator[CommandResult]:
    """Run a program on names, as often as the length of its command line needs; names that cannot be printed, on copies of the files.

    shellcheck ends at the first name that is not UTF-8, and a name with a line break makes output unreadable.
    """
    printable = [name for name in names if name.isprintable()]
    for batch in split_batches(printable):
        yield run([*argv, "--", *map(protect, batch)], cwd=root, env=env)
    if odd := [name for name in names if not name.isprintable()]:
        with tempfile.TemporaryDirectory() as made:
            copies = [
                Path(made) / f"{number}{Path(name).suffix if Path(name).suffix.isprintable() else ''}" for number, name in enumerate(odd)
            ]
            for name, copy in zip(odd, copies, strict=True):
                shutil.copyfile(root / name, copy)
            shown = {str(copy): show_name(name) for name, copy in zip(odd, copies, strict=True)}
            for batch in split_batches(list(shown)):
                ran = run([*argv, "--", *batch], cwd=root, env=env)
                yield CommandResult(ran.status, put_names_back(ran.stdout, shown), put_names_back(ran.stderr, shown))


def put_names_back(text: str, shown: dict[str, str]) -> str:
    """Return a tool's output with the files' own names for those of the copies."""
    for copy, name in reversed(shown.items()):  # …/10 before …/1
        text = text.replace(copy, name)
    return text


def split_batches(names: Sequence[str], longest: int = LONGEST) -> Iterator[list[str]]:
    """Yield names in order, each batch as long as fits into one command line, and at least one name in each."""
    batch: list[str] = []
    size = 0
    for name in names:
        cost = len(os.fsencode(name)) + 3 + 8  # its zero byte, ./ before it, and the pointer to it
        if batch and size + cost > longest:
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += cost
    if batch:
        yield batch


def protect(name: str) -> str:
    """Return a name that no program takes for an option or for standard input."""
    return f"./{name}" if name.startswith("-") else name
