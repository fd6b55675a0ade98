"""Run one cell: bring its lab up, check conformance, run its tests, collect results, take the lab down.

Each part is a command that a person could type; its output is kept beside its results. A workflow runs each part as a step (`--only`),
a laptop runs all at once. parts.json records what was done, so both ways give the same results.

    _artifacts/<cell>/   parts.json, logs/, junit.xml, allure-results/, <lab>/ (evidence): output of the commands
    _cells/<cell>/       the results that `lab report collect` wrote, masked; a job uploads them
    _cells/<cell>.again/ the results of a second attempt

Results are collected and the lab is taken down whatever happened. An interrupted part is asked to end and waited for; a second signal
ends everything at once and leaves the lab to `lab down`. Only infrastructure failures are retried, and only once; a report shows both
attempts.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from lab.errors import NotPossible, UsageError
from lab.hints import command
from lab.interrupt import Interrupted
from lab.run import write_json
from lab.steps import StepOutcome
from lab.supply_choices import SupplyChoices
from lab.terminal.text import say, seconds_text
from reports.collect import Sources, collect
from scenarios.kit.run_command import run_command
from scenarios.matrix.cells import CHECKOUT, MatrixCell
from scenarios.matrix.definition import Matrix

PARTS = ("up", "conformance", "test", "collect", "down")
PYTHON = sys.executable
KILLED = 137
"""The status of a part that recorded its start but not its end: its process was killed."""

BEGUN = (
    "the cell started and its results were not collected: it is still running, or was killed "
    "(`--only collect` saves the results so far, `--only down` takes its lab down)"
)
"""The reason of an unknown outcome between the start of a cell and the collection of its results."""

NO_TESTS, NOT_HERE = 5, 3
"""pytest's status when it ran no test, and the project's own for what could not be measured here."""


class CellRun(Protocol):
    """**Protocol:** runs a command to its end, writes its output to a log, and returns its status."""

    def __call__(self, argv: Sequence[str], log: Path) -> int: ...


@dataclass
class CellStep:
    """One part that has started. `status` is None until it has ended."""

    argv: list[str]
    began: float
    seconds: float = 0.0
    status: int | None = None


@dataclass
class Job:
    """One cell and the folders that it runs in. `checkout` is the Release under test if the cell's release is a checkout."""

    cell: MatrixCell
    results: Path = field(default_factory=lambda: Path("_cells").absolute())
    artifacts: Path = field(default_factory=lambda: Path("_artifacts").absolute())
    checkout: Path | None = None
    supply: SupplyChoices = field(default_factory=SupplyChoices)
    attempt: int | None = None
    """None for the first attempt here: the workflow gives its number."""
    command: CellRun = field(default_factory=lambda: run_command)
    matrix: Matrix = field(default_factory=Matrix.load)

    @property
    def folder(self) -> Path:
        """The folder that the parts of this cell write to."""
        return self.artifacts / self.cell.name

    # -- all of it, or one part ------------------------------------------------------------------------------------------

    def run(self, *, keep: bool = False) -> int:
        """Run every part, with `keep` all but the last; return the exit code. Interrupted is raised after results are collected."""
        with self.alone():
            self.begin()
            began, stop = time.monotonic(), None
            try:
                if self.do("up") == 0:
                    self.do("conformance")
                    self.do("test")
            except Interrupted as interrupted:
                stop = interrupted
            self.do("collect")
            if not keep:
                self.do("down")
            code = stop.exit_code if stop else exit_code_of(self.status())
            say(f"{self.cell}: {outcome_of(code).value} after {seconds_text(time.monotonic() - began)} (exit code {code}); {self.report}")
            if keep:
                say(f"lab {self.cell.lab} is kept: {command('down', lab=self.cell.lab)}")
            return code

    def phase(self, name: str) -> int:
        """Run one part, and return its exit code. UsageError when it needs a part that was not run."""
        with self.alone():
            if name == "up":
                self.begin()
            elif name in {"conformance", "test"} and "up" not in self.done():
                raise UsageError(f"{self.cell} has no lab yet", where=str(self.folder), remedy="run --only up, or all parts at once")
            return exit_code_of(self.do(name))

    def again(self) -> int:
        """Run every part once more if all failures are the infrastructure's; return the exit code of the last attempt.

        UsageError when it has not been run. `lab report retry` prints the owners of the failures.
        """
        if not self.done():
            raise UsageError(f"{self.cell} was not run", where=str(self.folder), remedy="run it first; `again` retries a failed cell")
        code, second = exit_code_of(self.status()), replace(self, attempt=self.first + 1)
        if code == 0:
            say(f"{self.cell} passed: nothing to retry")
        elif second.report.exists():
            say(f"{self.cell} was retried already; {second.report}")
            code = exit_code_of(json.loads((second.report / "cell.json").read_text())["exit_code"])
        elif self.command([PYTHON, "-m", "lab", "report", "retry", str(self.report)], self.folder / "logs" / "6-retry.log"):
            say(f"{self.cell} is not retried: only infrastructure failures are")
        else:
            say(f"{self.cell}: all failures are the infrastructure's; retrying once")
            return second.run()
        return code

    @property
    def first(self) -> int:
        """The number of the first attempt here, from its results."""
        try:
            return int(json.loads((self.results / self.cell.name / "cell.json").read_text())["attempt"])
        except (OSError, ValueError, KeyError, TypeError):
            return 1

    def begin(self) -> None:
        """Remove the results of an earlier run of this cell; a second attempt keeps those of the first.

        Write an unknown outcome, which stays until the results are collected: a killed cell must not show results of an earlier run.
        """
        if self.attempt is None:
            shutil.rmtree(self.results / f"{self.cell.name}.again", ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        sources = Sources(
            name=self.cell.name, parts=self.cell.parts, attempt=self.attempt, exit_code=KILLED, outcome=StepOutcome.UNKNOWN, reason=BEGUN
        )
        collect(sources, self.report)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold this cell's lock. NotPossible when another process holds it."""
        self.artifacts.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.artifacts / f".{self.cell.name}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise NotPossible(
                f"{self.cell} is already running", where=str(self.folder), remedy="wait for it, or use another --artifacts directory"
            ) from error
        try:
            yield
        finally:
            lock.release()

    # -- parts -------------------------------------------------------------------------------------------------------------

    def do(self, name: str) -> int:
        """Run one part to its end and record its status; raise Interrupted after it has ended."""
        done, argv = self.done(), self.argv(name)
        done[name] = CellStep(argv, time.time())
        self.write(done)
        say(f"{self.cell} {name}: {format_command(argv)}")
        began, status = time.monotonic(), KILLED
        try:
            status = self.command(argv, self.folder / "logs" / f"{PARTS.index(name) + 1}-{name}.log")
        except Interrupted as stop:
            status = stop.exit_code
            raise
        finally:
            done[name].status, done[name].seconds = status, round(time.monotonic() - began, 3)
            self.write(done)
        if name == "down" and status:
            self.amend(status)
        return status

    def argv(self, name: str) -> list[str]:
        """Return the command of one part."""
        lab = ["--lab", self.cell.lab]
        if name == "up":
            release = str(self.checkout) if self.cell.release == CHECKOUT else self.cell.release
            spec = ["--spec", str(self.matrix.suites[self.cell.suite].lab_file)]
            made_of = ["--provider", self.cell.provider, "--deployer", self.cell.deployer]
            versions = ["--release", release, "--kubernetes", self.cell.kubernetes]
            return [PYTHON, "-m", "lab", "up", *lab, *spec, *made_of, *versions, *self.supply.args]
        if name == "test":
            files = [str(path) for path in self.matrix.files(self.cell.suite)]
            kept = ["--junitxml", str(self.folder / "junit.xml"), "--alluredir", str(self.folder / "allure-results")]
            mark = ["-m", self.matrix.suites[self.cell.suite].mark] if self.matrix.suites[self.cell.suite].mark else []
            return [PYTHON, "-m", "pytest", *files, *mark, *lab, *kept, "--lab-artifacts", str(self.folder)]
        if name == "collect":
            return [PYTHON, "-m", "lab", "report", "collect", "--out", str(self.report), *lab, *self.collected()]
        return [PYTHON, "-m", "lab", "conformance", *lab] if name == "conformance" else [PYTHON, "-m", "lab", "down", *lab]

    def collected(self) -> list[str]:
        """Return the arguments of `lab report collect`: what to collect, and the outcome so far."""
        done = self.done()
        parts = [word for part, value in self.cell.parts.items() for word in (f"--{part}", value)]
        args = ["--name", self.cell.name, *parts, "--artifacts", str(self.folder)]
        args += ["--attempt", str(self.attempt)] if self.attempt else []
        if "test" in done:
            args += ["--junit", str(self.folder / "junit.xml"), "--allure", str(self.folder / "allure-results")]
        args += [word for path in sorted((self.folder / "logs").glob("*.log")) for word in ("--log", str(path))]
        if "up" not in done:
            return [*args, "--outcome", StepOutcome.UNKNOWN.value, "--reason", "the job ended before its lab was brought up"]
        return [*args, "--exit-code", str(self.status()), "--started", f"{min(did.began for did in done.values()):.3f}"]

    @property
    def report(self) -> Path:
        """The folder of this attempt's results."""
        return self.results / f"{self.cell.name}{'.again' if self.attempt else ''}"

    # -- how it ended --------------------------------------------------------------------------------------------------------

    def status(self) -> int:
        """Return the status of the cell: of an interrupt, else of the first failed part; `collect` counts last."""
        done = self.done()
        order = [name for name in (*(part for part in PARTS if part != "collect"), "collect") if name in done]
        statuses = [KILLED if (status := done[name].status) is None else status for name in order]
        return next((status for status in [*(each for each in statuses if each in {130, 143}), *statuses] if status), 0)

    def amend(self, status: int) -> None:
        """Record in the results, which were written while the lab was up, that taking it down failed."""
        path = self.report / "cell.json"
        try:
            cell: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError):
            return  # nothing was collected; the report shows that
        if cell.get("outcome") == StepOutcome.PASS.value:
            cell |= {
                "outcome": StepOutcome.FAIL.value,
                "exit_code": status,
                "reason": "taking the lab down failed, or left something behind",
            }
            write_json(path, cell)

    def done(self) -> dict[str, CellStep]:
        """Return the parts that have started, by name."""
        try:
            return {name: CellStep(**did) for name, did in json.loads((self.folder / "parts.json").read_text())["parts"].items()}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def write(self, done: Mapping[str, CellStep]) -> None:
        write_json(
            self.folder / "parts.json", {"schema": 1, "cell": self.cell.name, "parts": {name: asdict(d) for name, d in done.items()}}
        )


def format_command(argv: Sequence[str]) -> str:
    """Return a command in the form in which a user types it."""
    return shlex.join(argv).replace(PYTHON, "python", 1).replace(f"{Path.cwd()}/", "")


def exit_code_of(status: int) -> int:
    """Return the exit code of a status: pytest's "no test ran" is neither success nor failure, so it is not possible here."""
    return NOT_HERE if status == NO_TESTS else status


def outcome_of(code: int) -> StepOutcome:
    """Return the outcome of a cell by its exit code: unknown if it was interrupted or is not possible here."""
    if code in {NOT_HERE, 130, 143}:
        return StepOutcome.UNKNOWN
    return StepOutcome.FAIL if code else StepOutcome.PASS
