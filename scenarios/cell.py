"""One cell from nothing to results and back: its lab up, conformance, its tests, results collected, the lab down.

Each part is a command that a person could type; what it printed is kept beside its results. A workflow makes a step of each part
(`--only`), a laptop runs them all: what was done is written down, so the two are the same.

    _artifacts/<cell>/   parts.json, logs/, junit.xml, allure-results/, <lab>/ (evidence): what the commands wrote
    _cells/<cell>/       what `python -m reports collect` made of it, masked: what a job uploads

Results are collected and the lab taken down whatever happened. A part that is interrupted is told to end, and waited for; a second
signal ends all at once, and leaves the lab to `lab down`.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from filelock import FileLock, Timeout

from lab.assets.command import tied
from lab.console import say, seconds_text
from lab.errors import NotPossible, UsageError
from lab.interrupt import Interrupted
from lab.run import write_json
from lab.steps import Outcome
from scenarios.planner.cells import CHECKOUT, Cell
from scenarios.planner.matrix import Matrix

PARTS = ("up", "conformance", "test", "collect", "down")
PYTHON = sys.executable
KILLED = 137
"""The status of a part that began and of whose end nobody knows: its process was killed."""

NO_TESTS, NOT_HERE = 5, 3
"""pytest's status when it ran no test, and ours for what could not be measured here."""

LAST_WORDS = 180.0
"""Seconds that an interrupted part has to save evidence and end by itself."""


@dataclass(frozen=True)
class Supplies:
    """Where software comes from: the words of `lab up` of the same names."""

    source: str = "auto"
    offline: bool = False
    bundle: Path | None = None
    mirror: str | None = None

    @property
    def words(self) -> list[str]:
        given = [("--bundle", self.bundle), ("--mirror", self.mirror)]
        return ["--source", self.source, *(["--offline"] * self.offline), *(str(w) for pair in given if pair[1] for w in pair)]


class Run(Protocol):
    """**Protocol:** runs a command to its end, keeps what it prints in a log, and returns its status."""

    def __call__(self, argv: Sequence[str], log: Path) -> int: ...


@dataclass
class Did:
    """One part that was begun. `status` is None until it has ended."""

    argv: list[str]
    began: float
    seconds: float = 0.0
    status: int | None = None


@dataclass
class Job:
    """One cell being run, in these folders. `checkout` is the Release under test, where the cell's release is a checkout."""

    cell: Cell
    results: Path = field(default_factory=lambda: Path("_cells").absolute())
    artifacts: Path = field(default_factory=lambda: Path("_artifacts").absolute())
    checkout: Path | None = None
    supplies: Supplies = Supplies()
    command: Run = field(default_factory=lambda: spoken)
    matrix: Matrix = field(default_factory=Matrix.load)

    @property
    def folder(self) -> Path:
        """Where the parts of this cell write."""
        return self.artifacts / self.cell.name

    # -- all of it, or one part ------------------------------------------------------------------------------------------

    def run(self, *, keep: bool = False) -> int:
        """Run every part, with `keep` all but the last; return the exit code. Interrupted passes on when all is collected and down."""
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
            code = stop.exit_code if stop else told(self.status())
            say(f"{self.cell}: {outcome(code).value} after {seconds_text(time.monotonic() - began)} (exit code {code}); {self.report}")
            if keep:
                say(f"lab {self.cell.lab} is kept: lab down --lab {self.cell.lab}")
            return code

    def phase(self, name: str) -> int:
        """Run one part, and return its exit code. UsageError when it needs one that was not done."""
        with self.alone():
            if name == "up":
                self.begin()
            elif name in {"conformance", "test"} and "up" not in self.done():
                raise UsageError(f"{self.cell} was not brought up", where=str(self.folder), remedy="--only up, or all parts at once")
            return told(self.do(name))

    def begin(self) -> None:
        """Forget an earlier attempt."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who runs this cell here. NotPossible when somebody else does."""
        self.artifacts.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.artifacts / f".{self.cell.name}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise NotPossible(
                f"{self.cell} is being run already", where=str(self.folder), remedy="wait for it, or name another place with --artifacts"
            ) from error
        try:
            yield
        finally:
            lock.release()

    # -- parts -------------------------------------------------------------------------------------------------------------

    def do(self, name: str) -> int:
        """Run one part to its end and write down how it ended; Interrupted passes on when it has ended."""
        done, argv = self.done(), self.argv(name)
        done[name] = Did(argv, time.time())
        self.write(done)
        say(f"{self.cell} {name}: {pasteable(argv)}")
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
            return [PYTHON, "-m", "lab", "up", *lab, *spec, *made_of, *versions, *self.supplies.words]
        if name == "test":
            files = [str(path) for path in self.matrix.files(self.cell.suite)]
            kept = ["--junitxml", str(self.folder / "junit.xml"), "--alluredir", str(self.folder / "allure-results")]
            mark = ["-m", self.matrix.suites[self.cell.suite].mark] if self.matrix.suites[self.cell.suite].mark else []
            return [PYTHON, "-m", "pytest", *files, *mark, *lab, *kept, "--artifacts", str(self.folder)]
        if name == "collect":
            return [PYTHON, "-m", "reports", "collect", "--out", str(self.report), *lab, *self.collected()]
        return [PYTHON, "-m", "lab", name, *lab]

    def collected(self) -> list[str]:
        """Return what there is to collect, and how the cell ended so far."""
        done = self.done()
        parts = [word for part, value in self.cell.parts.items() for word in (f"--{part}", value)]
        words = ["--name", self.cell.name, *parts, "--artifacts", str(self.folder)]
        if "test" in done:
            words += ["--junit", str(self.folder / "junit.xml"), "--allure", str(self.folder / "allure-results")]
        if logs := sorted(str(path) for path in (self.folder / "logs").glob("*.log")):
            words += ["--log", *logs]
        if "up" not in done:
            return [*words, "--outcome", Outcome.UNKNOWN.value, "--reason", "the job ended before its lab was brought up"]
        return [*words, "--exit-code", str(self.status()), "--started", f"{min(did.began for did in done.values()):.3f}"]

    @property
    def report(self) -> Path:
        """The folder of this cell's results."""
        return self.results / self.cell.name

    # -- how it ended --------------------------------------------------------------------------------------------------------

    def status(self) -> int:
        """Return the status that tells how it ended: of an interrupt, else of the first part that failed; collecting counts last."""
        done = self.done()
        order = [name for name in (*(part for part in PARTS if part != "collect"), "collect") if name in done]
        statuses = [KILLED if (status := done[name].status) is None else status for name in order]
        return next((status for status in [*(each for each in statuses if each in {130, 143}), *statuses] if status), 0)

    def amend(self, status: int) -> None:
        """Note in the results, which are written while there is a lab, that taking it down failed."""
        path = self.report / "cell.json"
        try:
            cell: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError):
            return  # nothing was collected, and a report says so
        if cell.get("outcome") == Outcome.PASS.value:
            cell |= {"outcome": Outcome.FAIL.value, "exit_code": status, "reason": "taking the lab down failed, or left something behind"}
            write_json(path, cell)

    def done(self) -> dict[str, Did]:
        """Return the parts that were begun."""
        try:
            return {name: Did(**did) for name, did in json.loads((self.folder / "parts.json").read_text())["parts"].items()}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def write(self, done: Mapping[str, Did]) -> None:
        write_json(
            self.folder / "parts.json", {"schema": 1, "cell": self.cell.name, "parts": {name: asdict(d) for name, d in done.items()}}
        )


def pasteable(argv: Sequence[str]) -> str:
    """Return a command as one would type it where this one was."""
    return shlex.join(argv).replace(PYTHON, "python", 1).replace(f"{Path.cwd()}/", "")


def told(status: int) -> int:
    """Return the exit code that tells a status: that no test ran is nothing a caller could take for success or failure."""
    return NOT_HERE if status == NO_TESTS else status


def outcome(code: int) -> Outcome:
    """Return what an exit code says of a cell: what was cut short, or is not possible here, is unknown."""
    if code in {NOT_HERE, 130, 143}:
        return Outcome.UNKNOWN
    return Outcome.FAIL if code else Outcome.PASS


def spoken(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> int:
    """Run a command to its end; what it prints goes to our output and to the log. When we are interrupted it is told so and waited for.

    `env` is laid over the environment of this process.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    child = subprocess.Popen(
        [*tied(), *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        start_new_session=True,  # Ctrl-C reaches it once, from us
    )
    assert child.stdout
    # A daemon that it leaves behind may hold its output open: its end is what we wait for, not the output's.
    copying = threading.Thread(target=copy, args=(child.stdout, log), daemon=True)
    copying.start()
    try:
        status = child.wait()
    except Interrupted as stop:
        end(child, stop.number)
        raise
    finally:
        copying.join(timeout=3.0)
    return 128 - status if status < 0 else status


def copy(source: IO[bytes], log: Path) -> None:
    """Copy lines to our output and to a log until there are no more."""
    with source, log.open("wb", buffering=0) as file:
        for line in iter(source.readline, b""):
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            file.write(line)


def end(child: subprocess.Popen[bytes], number: int) -> None:
    """Tell a command to end, and kill it when it does not in good time."""
    child.send_signal(number)
    try:
        child.wait(LAST_WORDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
