"""Run ginkgo as a program of the lab: it ends with the lab, its output is a log of the run, and an interrupt asks it to end.

ginkgo writes its report at its end, also when it is interrupted. While it runs, and after it was killed, only its log exists: it has
the result of each ended spec, so progress is read from it.
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
STOP_WITHIN = 120.0
"""Seconds that an interrupted ginkgo gets to clean up after running specs and write its report."""

PROCESSES = 8
"""Parallel specs. They mostly wait for Karmada: eight keep one processor busy, and the lab takes another."""

WITH_PODS = 4
"""Parallel specs on members with real pods: starting and ending their containers takes CPU."""

HEADER = re.compile(r"^(?P<mark>[•SP])(?: \[(?P<state>[A-Z!]+)\])?(?: \[(?P<seconds>[0-9.]+) seconds\])?$")
"""The first line that ginkgo -v prints of a spec that ended; the next one is the spec (ginkgo's reporters/default_reporter.go)."""

NODE = re.compile(r" \[(?:It|BeforeEach|JustBeforeEach|AfterEach|JustAfterEach|BeforeAll|AfterAll|DeferCleanup[^\]]*)\]")
"""The kind of node that failed, which ginkgo inserts into the text of a failed spec."""


@dataclass(frozen=True)
class EndedSpec:
    """An ended spec, read from the log."""

    text: str
    state: str
    seconds: float


@dataclass
class SuiteProgress:
    """The progress of a run. `ended` are specs in the order in which they ended."""

    planned: int
    ended: list[EndedSpec] = field(default_factory=list)

    def heard(self, ended: EndedSpec) -> str:
        """Record an ended spec; return the line to print, with the number of remaining specs."""
        self.ended.append(ended)
        failed = sum(each.state not in {"passed", *CUT_OFF} for each in self.ended)
        left = max(0, self.planned - len(self.ended))
        bad = f", {failed} failed" if failed else ""
        specs = "1 spec" if left == 1 else f"{left} specs"
        return f"{ended.state} {ended.text} ({seconds_text(ended.seconds)}); {specs} left{bad}"


@dataclass(frozen=True)
class SuitePatience:
    """How the suite waits. Upstream polls every 5 s for at most 300; its own helpers poll for 420 whatever is set here."""

    interval: str = "1s"
    timeout: str = "300s"
    all: str = "2h"


def make_argv(
    suite: UpstreamSuite,
    program: Path,
    plan: SuitePlan,
    report: str,
    *,
    processes: int = PROCESSES,
    patience: SuitePatience = SuitePatience(),
) -> list[str]:
    """Return the command: hack/run-e2e.sh's, without --race and --fail-fast, and with filters for skipped specs."""
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


def ends_in(lines: Iterable[str]) -> Iterator[EndedSpec]:
    """Yield the specs that ended according to a log. Leave out skipped ones: they did not start."""
    header: re.Match[str] | None = None
    for line in lines:
        if header and line.strip():
            state = (header["state"] or "passed").lower().rstrip("!")
            yield EndedSpec(NODE.sub("", line.strip()), "failed" if state == "fail" else state, float(header["seconds"] or 0))
            header = None
        elif (found := HEADER.match(line)) and found["mark"] == "•":
            header = found


def report_of_log(log: str, planned: Sequence[Spec]) -> GinkgoReport:
    """Return a report made from the log alone, for a ginkgo that was killed."""
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
    return GinkgoReport(results, special=("ginkgo was killed: the results of its specs are read from its log",))


@dataclass
class SuiteLog:
    """A log that is being written: `lines` returns the complete lines that were not read before."""

    path: Path
    offset: int = 0
    rest: str = ""

    @classmethod
    def at_end(cls, path: Path) -> SuiteLog:
        return cls(path, path.stat().st_size if path.exists() else 0)

    def lines(self) -> list[str]:
        try:
            with self.path.open("rb") as file:
                if self.path.stat().st_size < self.offset:  # the log was rotated
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
    """Run the plan to its end; return the report, and the interrupt that cut the run short, if any."""
    run = karmada.run
    folder = run.folder("data", "upstream", "suite")
    program = folder / "karmada-e2e.test"  # ginkgo accepts no other name, and writes reports beside it
    program.unlink(missing_ok=True)
    program.symlink_to(suite.program)
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    log = run.log(NAME)
    args = make_argv(suite, program, plan, report.name, processes=processes, patience=patience)
    supervisor, reading = Supervisor(run.path), SuiteLog.at_end(log)
    progress, heard = SuiteProgress(len(plan.run)), []
    stop: BaseException | None = None

    def listen() -> None:
        # A spec takes two lines, and this read may have ended between them: read the last line again.
        heard.extend(reading.lines())
        known = len(progress.ended)
        for ended in list(ends_in(heard))[known:]:
            tell(f"+{seconds_text(time.monotonic() - began)} {progress.heard(ended)}")

    began = time.monotonic()
    supervisor.start(Program(NAME, tuple(args), log, env=env, cwd=folder))
    try:
        while supervisor.exited(NAME, within=1.0).runs:
            listen()
    except (KeyboardInterrupt, Interrupted, Cancelled) as error:  # keep the results so far
        stop = error
        tell("interrupted: running specs clean up after themselves; results of ended specs are kept")
    finally:
        supervisor.stop(NAME, within=STOP_WITHIN)  # marks its end as intended, else the lab would count as unhealthy
    listen()
    found = read(report)
    return found or report_of_log("\n".join(heard), plan.run), stop
