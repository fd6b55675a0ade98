"""ginkgo as a program of the lab: it ends when the lab does, its output is a log of the run, and it is asked to end, not killed.

The verdict is ginkgo's report, which it writes at its end, also when it is interrupted. While it runs, and when it was killed, its log
is all there is: it says of each spec that ended what came of it, and that is what progress is read from.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deployers.karmada import Karmada
from lab.interrupt import Interrupted
from lab.program import Program
from lab.supervisor.client import Supervisor
from lab.terminal.text import seconds_text
from lab.wait import Cancelled
from scenarios.upstream.plan import SuitePlan
from scenarios.upstream.spec import CUT_OFF, GinkgoReport, Spec, SpecResult, read
from scenarios.upstream.suite import UpstreamSuite

NAME = "upstream/ginkgo"
LAST_WORDS = 120.0
"""Seconds that an interrupted ginkgo has: each spec that runs cleans up after itself, and the report is written."""

PROCESSES = 8
"""Specs at once: they wait for Karmada far more than they work, and eight keep one processor busy, of a lab that takes another."""

WITH_PODS = 4
"""Specs at once where each of their pods is a container that a kubelet starts and ends: that takes processors."""

HEADER = re.compile(r"^(?P<mark>[•SP])(?: \[(?P<state>[A-Z!]+)\])?(?: \[(?P<seconds>[0-9.]+) seconds\])?$")
"""The first line that ginkgo -v prints of a spec that ended; the next one is the spec (ginkgo's reporters/default_reporter.go)."""

NODE = re.compile(r" \[(?:It|BeforeEach|JustBeforeEach|AfterEach|JustAfterEach|BeforeAll|AfterAll|DeferCleanup[^\]]*)\]")
"""What ginkgo puts into a failed spec's text: the kind of node that failed."""


@dataclass(frozen=True)
class Ended:
    """A spec that ended, as the log tells it."""

    text: str
    state: str
    seconds: float


@dataclass
class SuiteProgress:
    """How far a run is. `ended` are specs in the order in which they ended."""

    planned: int
    ended: list[Ended] = field(default_factory=list)

    def heard(self, ended: Ended) -> str:
        """Take note of a spec that ended; return the line that tells it, and what is left."""
        self.ended.append(ended)
        failed = sum(each.state not in {"passed", *CUT_OFF} for each in self.ended)
        left = max(0, self.planned - len(self.ended))
        bad = f", {failed} failed" if failed else ""
        specs = "1 spec" if left == 1 else f"{left} specs"
        return f"{ended.state} {ended.text} ({seconds_text(ended.seconds)}); {specs} left{bad}"


@dataclass(frozen=True)
class SuitePatience:
    """How the suite waits. Upstream polls every 5 s for at most 300; its own helpers poll for 420 whatever is said here."""

    interval: str = "1s"
    timeout: str = "300s"
    all: str = "2h"


def argv(
    suite: UpstreamSuite,
    program: Path,
    plan: SuitePlan,
    report: str,
    *,
    processes: int = PROCESSES,
    patience: SuitePatience = SuitePatience(),
) -> list[str]:
    """Return the command: hack/run-e2e.sh's, without --race and --fail-fast, and with what is not run left out."""
    return [
        str(suite.ginkgo),
        "run",
        "-v",
        "--no-color",
        "--trace",
        "--silence-skips",
        "--randomize-all",
        f"--procs={processes}",
        f"--timeout={patience.all}",
        f"--json-report={report}",
        *plan.filters,
        str(program),
        "--",
        "--host-context=karmada-host",
        "--karmada-context=karmada-apiserver",
        f"--poll-interval={patience.interval}",
        f"--poll-timeout={patience.timeout}",
    ]


def ends_in(lines: Iterable[str]) -> Iterator[Ended]:
    """Yield the specs that a log tells to have ended. Skipped ones are left out: they did not begin."""
    header: re.Match[str] | None = None
    for line in lines:
        if header and line.strip():
            state = (header["state"] or "passed").lower().rstrip("!")
            yield Ended(NODE.sub("", line.strip()), "failed" if state == "fail" else state, float(header["seconds"] or 0))
            header = None
        elif (found := HEADER.match(line)) and found["mark"] == "•":
            header = found


def report_of_log(log: str, planned: Sequence[Spec]) -> GinkgoReport:
    """Return what a log alone tells: the report of a ginkgo that was killed."""
    by_text: dict[str, list[Spec]] = {}
    for spec in planned:
        by_text.setdefault(spec.text, []).append(spec)
    results: dict[Spec, SpecResult] = {}
    for ended in ends_in(log.splitlines()):
        alike = next((specs for text, specs in by_text.items() if ended.text == text or ended.text.startswith(f"{text} [")), [])
        for spec in [spec for spec in alike if spec not in results][:1]:
            results[spec] = SpecResult(
                ended.state, ended.seconds, "" if ended.state == "passed" else "its report is lost: ginkgo was killed"
            )
    return GinkgoReport(results, special=("ginkgo was killed: what came of its specs is read from its log",))


@dataclass
class SuiteLog:
    """A log that is being written: `lines` are those that are whole and were not read before."""

    path: Path
    offset: int = 0
    rest: str = ""

    @classmethod
    def at_end(cls, path: Path) -> SuiteLog:
        return cls(path, path.stat().st_size if path.exists() else 0)

    def lines(self) -> list[str]:
        try:
            with self.path.open("rb") as file:
                if self.path.stat().st_size < self.offset:  # it was large, and put aside
                    self.offset, self.rest = 0, ""
                file.seek(self.offset)
                new = file.read()
        except FileNotFoundError:
            return []
        self.offset += len(new)
        *whole, self.rest = (self.rest + new.decode(errors="replace")).split("\n")
        return whole


def execute(
    suite: UpstreamSuite,
    plan: SuitePlan,
    karmada: Karmada,
    env: Mapping[str, str],
    *,
    tell: Callable[[str], object],
    processes: int = PROCESSES,
    patience: SuitePatience = SuitePatience(),
) -> tuple[GinkgoReport, BaseException | None]:
    """Run what is planned to its end; return what came of it, and the interrupt that cut it short, if one did."""
    run = karmada.run
    folder = run.folder("data", "upstream", "suite")
    program = folder / "karmada-e2e.test"  # ginkgo takes nothing of another name, and writes reports beside it
    program.unlink(missing_ok=True)
    program.symlink_to(suite.program)
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    log = run.log(NAME)
    words = argv(suite, program, plan, report.name, processes=processes, patience=patience)
    supervisor, reading = Supervisor(run.path), SuiteLog.at_end(log)
    progress, heard = SuiteProgress(len(plan.run)), []
    stop: BaseException | None = None

    def listen() -> None:
        # A spec is two lines, and a look may fall between them: what was heard last is read again.
        heard.extend(reading.lines())
        known = len(progress.ended)
        for ended in list(ends_in(heard))[known:]:
            tell(f"+{seconds_text(time.monotonic() - began)} {progress.heard(ended)}")

    began = time.monotonic()
    supervisor.start(Program(NAME, tuple(words), log, env=env, cwd=folder))
    try:
        while supervisor.exited(NAME, within=1.0).runs:
            listen()
    except (KeyboardInterrupt, Interrupted, Cancelled) as error:  # what there is, is kept
        stop = error
        tell("interrupted: the specs that run clean up after themselves, and what came of the others is kept")
    finally:
        supervisor.stop(NAME, within=LAST_WORDS)  # one that has ended is, from then on, one that was to end: the lab is well
    listen()
    found = read(report)
    return found or report_of_log("\n".join(heard), plan.run), stop
