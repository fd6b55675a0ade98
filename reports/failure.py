"""A failure: what failed, its first cause in one sentence, and its evidence."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lab.errors import NotPossible
from lab.steps import StepOutcome
from reports import figures
from reports.cases import STEPS, Case
from reports.cell import CellResults
from reports.files import read_json, read_tail
from reports.journal import BringUp
from reports.verdict import NO_LAB

What = Literal["step", "test", "cell"]

RAISED = re.compile(r"(?m)^(?P<file>[\w./-]+\.py):(?P<line>\d+): ?(?P<kind>[A-Za-z_][\w.]*)?")
"""A line of pytest's traceback: scenarios/test_join.py:41: NotReady."""

KIND = re.compile(r"^(?:[a-z_][\w.]*\.)?(?P<kind>[A-Z]\w*(?:Error|Failed|Exited|Exception|Interrupt|NotReady|NotPossible|Refused)?): ")
ERROR_LINE = re.compile(r"(?m)^E +(.*)$")
TELLING = re.compile(r"(?:^|\W)(?:[Ee]rror:|panic:|fatal error:|F\d{4} |E\d{4} |\"level\":\"(?:fatal|panic|error)\"|last seen: )")
COMPONENT = re.compile(
    r"(?P<name>[a-z0-9-]+/[a-z0-9-]+|[a-z][a-z0-9-]+) (?:ended|killed by signal \d+|exited with -?\d+) before it was ready"
)


@dataclass(frozen=True)
class Failure:
    """A failed step, test or cell. `others` are the tests that failed only because this did."""

    cell: str
    what: What
    name: str
    cause: str
    message: str
    """The error text, without the source code that pytest prints around it."""
    text: str = ""
    phase: str = "call"
    kind: str = ""
    exit_code: int | None = None
    component: str = ""
    trace: tuple[str, ...] = ()
    evidence: tuple[Path, ...] = field(default=(), repr=False)
    others: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """The file:line that raised; "" when it is not known."""
        return self.trace[-1] if self.trace else ""

    @property
    def program_troubles(self) -> tuple[str, ...]:
        """The lab's programs that had exited or been restarted when the evidence was collected, one line each."""
        return tuple(line for folder in self.evidence for line in list_program_troubles(folder))

    @property
    def id(self) -> str:
        """The identity of this failure in the history and in links."""
        return f"{self.cell} {self.name}"


def list_failures(cell: CellResults, tests: Sequence[Case], bring_ups: Sequence[BringUp]) -> list[Failure]:
    """Return the failures of a cell, first causes first: steps, then tests, else the cell itself.

    A cell that was not possible (exit code 3) is unknown and has a failure too: an unreachable server may be reached in a retry.
    """
    folders = list_evidence_folders(cell.path)
    steps = [make_step_failure(cell, case, up, folders) for up in bring_ups for case in list_failed_steps(up)]
    failed = [case for case in tests if case.outcome is StepOutcome.FAIL]
    homeless = [case for case in failed if case.message.startswith(NO_LAB) or case.text.startswith(NO_LAB)]
    rest = [case for case in failed if case not in homeless]
    if steps and homeless:
        steps[0] = add_others(steps[0], homeless)
        homeless = []
    found = [*steps, *(make_test_failure(cell, case, folders) for case in rest)]
    if homeless:
        setup = next((each for each in found if each.what == "test" and each.phase == "setup"), None)
        if setup is None:
            found.append(add_others(make_test_failure(cell, homeless[0], folders), homeless[1:]))
        else:
            found[found.index(setup)] = add_others(setup, homeless)
    if not found and (cell.outcome is StepOutcome.FAIL or cell.exit_code == NotPossible.exit_code):
        found.append(make_cell_failure(cell, folders))
    return found


def list_failed_steps(up: BringUp) -> Iterator[Case]:
    for step in up.steps:
        if step.outcome is StepOutcome.FAIL:
            yield Case(STEPS, step.name, step.outcome, step.seconds, text=step.error, step=True)


def make_step_failure(cell: CellResults, case: Case, up: BringUp, folders: Sequence[Path]) -> Failure:
    """Return the failure of a step of `up`."""
    step = next(each for each in up.steps if each.name == case.name)
    return Failure(
        cell=cell.name,
        what="step",
        name=step.name,
        cause="; ".join(part for part in (get_first_line(step.error), find_telling_line(step.error)) if part)
        or "it failed without any output",
        message=step.error,
        text=step.error,
        kind=step.kind or get_error_class(step.error),
        exit_code=step.exit_code,
        component=find_component(step.error) or step.name,
        evidence=tuple(folder for folder, reason in read_reasons(folders) if not reason.startswith("test_")),
    )


def make_test_failure(cell: CellResults, case: Case, folders: Sequence[Path]) -> Failure:
    """Return the failure of a test."""
    errors = "\n".join(ERROR_LINE.findall(case.text)) or case.text
    frames = [(found["file"], found["line"], found["kind"] or "") for found in RAISED.finditer(case.text)]
    kind = get_error_class(case.message) or next((kind.rpartition(".")[2] for _, _, kind in reversed(frames) if kind[:1].isupper()), "")
    kind = kind or get_error_class(errors) or ("AssertionError" if case.message.startswith("assert ") else "")
    return Failure(
        cell=cell.name,
        what="test",
        name=case.id,
        cause=make_sentence(case.message, errors) or make_sentence(errors, errors) or "it failed without any output",
        message=f"{case.message}\n{errors}",
        text=case.text,
        phase=case.phase,
        kind=kind,
        component=find_component(errors),
        trace=tuple(f"{file}:{line}" for file, line, _ in frames),
        evidence=tuple(folder for folder, reason in read_reasons(folders) if reason in {case.name, f"{case.name}-{case.phase}"}),
    )


def make_cell_failure(cell: CellResults, folders: Sequence[Path]) -> Failure:
    """Return the failure of a cell in which no step and no test failed."""
    verdicts = "".join(f"{each.name}: {each.verdict}\n" for each in figures.read_figures(cell.path / "perf")[0] if each.verdict)
    output = verdicts + "\n".join(read_tail(path, 80_000)[-20_000:] for path in sorted((cell.path / "logs").glob("*")) if path.is_file())
    return Failure(
        cell=cell.name,
        what="cell",
        name=cell.name,
        cause=cell.reason or f"it ended with exit code {cell.exit_code}",
        message=f"{cell.reason}\n{output}",
        text=output[-8000:],
        kind=NotPossible.__name__ if cell.exit_code == NotPossible.exit_code else "",
        exit_code=cell.exit_code,
        evidence=tuple(folders),
    )


def add_others(failure: Failure, cases: Iterable[Case]) -> Failure:
    return Failure(**{**vars(failure), "others": (*failure.others, *(case.id for case in cases))})


# -- text of a failure -------------------------------------------------------------------------------------------------------------


def get_first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def find_telling_line(text: str) -> str:
    """Return the last line of an error's detail that looks like an error: the very last line is often a program's help."""
    found = [line.strip(" |") for line in text.splitlines()[1:] if TELLING.search(line)]
    return found[-1][:300] if found else ""


def make_sentence(message: str, errors: str) -> str:
    """Return the first line of an error without the class of this project, and the last state that a wait saw, from all its lines."""
    line = get_first_line(message)
    if not isinstance(getattr(builtins, get_error_class(line), None), type) or get_error_class(line) == "AssertionError":
        line = KIND.sub("", line)  # Python's own errors keep their class: the text of a KeyError is only the key
    seen = re.search(r"(?m)^\s*where: +(last seen: .*)$", f"{message}\n{errors}")
    return f"{line}; {seen.group(1)}" if seen else line


def get_error_class(text: str) -> str:
    """Return the error class that a text begins with; "" without one."""
    found = KIND.match(get_first_line(text))
    return found["kind"] if found else ""


def find_component(text: str) -> str:
    """Return the program that, by this text, exited before it was ready; "" without one."""
    found = COMPONENT.search(text)
    return found["name"] if found else ""


# -- evidence ----------------------------------------------------------------------------------------------------------------------


def list_evidence_folders(path: Path) -> list[Path]:
    """Return the collections of evidence in a cell's folder or a run directory, oldest first."""
    return sorted(folder for folder in (path / "evidence").glob("*") if folder.is_dir())


def read_reasons(folders: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each collection with its reason: from its index, else from its name."""
    for folder in folders:
        reason = folder.name.partition("-")[2]
        with suppress(OSError, ValueError, KeyError, TypeError):
            reason = str(read_json(folder / "index.json")["reason"])
        yield folder, reason


def list_program_troubles(folder: Path) -> Iterator[str]:
    """Yield a line for each program of a collection that had exited by itself or been restarted."""
    try:
        rows = read_json(folder / "components.json")
        for row in rows:
            name, state, status, restarts = row["name"], row.get("state"), row.get("status"), int(row.get("restarts") or 0)
            if state not in {"running", "stopped", "waiting"}:
                yield f"{name} {state}" + (f" with status {status}" if status is not None else "")
            elif restarts:
                yield f"{name} was restarted {restarts} times" + (f", its last status {status}" if status is not None else "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
