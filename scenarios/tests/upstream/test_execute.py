"""Run ginkgo as a program of the lab: it ends with the lab, its output is a log of the run, and an interrupt asks it to end."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deployers.release import Release
from lab.run import Run
from lab.steps import StepOutcome
from scenarios.tests.upstream.upstream_fakes import entry, row, spec
from scenarios.upstream import execute
from scenarios.upstream.execute import SuiteLog, SuiteProgress, ends_in, report_of_log
from scenarios.upstream.known import KnownSpecs
from scenarios.upstream.plan import make_plan
from scenarios.upstream.spec import GinkgoReport
from scenarios.upstream.suite import UpstreamSuite
from scenarios.upstream.verdict import judge

LOG = """\
Running Suite: E2E Suite - /runs/x
==================================
Will run 3 of 273 specs
------------------------------
[SynchronizedBeforeSuite] PASSED [2.345 seconds]
[SynchronizedBeforeSuite]
suite_test.go:125
------------------------------
• [1.250 seconds]
remedy testing it remedies
github.com/karmada-io/karmada/test/e2e/suites/base/remedy_test.go:64

  Captured StdOut/StdErr Output >>
  • this is no header [9 seconds]
  << Captured StdOut/StdErr Output
------------------------------
S [SKIPPED] [0.010 seconds]
search testing skips itself
------------------------------
• [FAILED] [420.001 seconds]
search testing [It] it finds [Serial]
github.com/karmada-io/karmada/test/e2e/suites/base/search_test.go:105
------------------------------
• [PANICKED!] [0.500 seconds]
"""


def test_the_log_tells_what_ended() -> None:
    assert [(each.text, each.state, each.seconds) for each in ends_in(LOG.splitlines())] == [
        ("remedy testing it remedies", "passed", 1.25),
        ("search testing it finds [Serial]", "failed", 420.001),
    ]


def test_progress_says_what_is_left_and_what_failed() -> None:
    progress = SuiteProgress(5)

    assert [progress.heard(each) for each in ends_in(LOG.splitlines())] == [
        "passed remedy testing it remedies (1.2 s); 4 specs left",
        "failed search testing it finds [Serial] (7 min 0 s); 3 specs left, 1 failed",
    ]


def test_of_a_killed_ginkgo_the_log_is_what_is_left() -> None:
    planned = [spec("remedy testing it remedies"), spec("search testing it finds"), spec("never begun")]

    report = report_of_log(LOG, planned)
    found = judge(make_plan(planned, KnownSpecs()), report)

    assert [case.outcome for case in found.cases] == [StepOutcome.PASS, StepOutcome.FAIL, StepOutcome.UNKNOWN]
    assert found.wrong == ["ginkgo was killed: the results of its specs are read from its log"]


def test_a_log_is_read_line_by_line_and_from_the_start_after_rotation(tmp_path: Path) -> None:
    path = tmp_path / "ginkgo.log"
    path.write_text("old\n")
    log = SuiteLog.at_end(path)
    with path.open("a") as file:
        file.write("one\ntw")
    first = log.lines()
    with path.open("a") as file:
        file.write("o\n")

    assert (first, log.lines()) == (["one"], ["two"])

    path.write_text("3\n")

    assert log.lines() == ["3"]
    assert SuiteLog.at_end(tmp_path / "none").lines() == []


def test_the_command_is_upstreams_with_what_is_not_run_left_out() -> None:
    suite = UpstreamSuite(Release("1.18.2"), Path("/cache/karmada-e2e"), Path("/cache/ginkgo"))
    words = execute.make_argv(
        suite, Path("/run/karmada-e2e.test"), make_plan([spec("a"), spec("b")], KnownSpecs(skip=(entry(text="b"),))), "report.json"
    )

    assert words[:2] == ["/cache/ginkgo", "run"]
    assert "--skip=b" in words[: words.index("/run/karmada-e2e.test")]
    assert words[words.index("--") + 1 :][:2] == ["--host-context=karmada-host", "--karmada-context=karmada-apiserver"]


class Played:
    """A supervisor. Its program writes a report and a log, and ends at the second look, or is interrupted at the first."""

    def __init__(self, run: Run, *, report: dict[str, Any] | None, log: str, interrupt: bool = False) -> None:
        self.run, self.report, self.log, self.interrupt = run, report, log, interrupt
        self.looks = 0
        self.stopped: list[str] = []

    def __call__(self, path: Path) -> Played:
        return self

    def start(self, program: Any) -> None:
        self.program = program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        program.log.write_text(self.log)
        if self.report is not None:
            (program.cwd / "report.json").write_text(json.dumps([self.report]))

    def exited(self, name: str, *, within: float) -> Any:
        self.looks += 1
        if self.interrupt:
            raise KeyboardInterrupt
        return SimpleNamespace(runs=self.looks < 2)

    def stop(self, name: str, *, within: float) -> None:
        self.stopped.append(name)


def played(plane: Any, monkeypatch: pytest.MonkeyPatch, heard: list[str], **how: Any) -> tuple[GinkgoReport, BaseException | None, Played]:
    supervisor = Played(plane.run, **how)
    monkeypatch.setattr(execute, "Supervisor", supervisor)
    suite = UpstreamSuite(Release("1.18.2"), Path("/cache/karmada-e2e"), Path("/cache/ginkgo"))
    planned = make_plan([spec("remedy testing it remedies"), spec("search testing it finds")], KnownSpecs())
    report, stop = execute.execute(suite, planned, plane, {"A": "b"}, tell=heard.append)
    return report, stop, supervisor


def test_a_run_tells_its_progress_and_its_report_is_ginkgos(plane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    rows = {"SpecReports": [row("remedy testing it remedies"), row("search testing it finds", state="failed", line=2)]}

    report, stop, supervisor = played(plane, monkeypatch, heard, report=rows, log=LOG)

    assert stop is None
    assert [result.state for result in report.results.values()] == ["passed", "failed"]
    assert [line.partition(" s ")[2] for line in heard] == [
        "passed remedy testing it remedies (1.2 s); 1 spec left",
        "failed search testing it finds [Serial] (7 min 0 s); 0 specs left, 1 failed",
    ]
    assert supervisor.program.env == {"A": "b"}
    assert supervisor.stopped == [execute.NAME]


def test_an_interrupt_ends_ginkgo_and_passes_on_with_what_there_is(plane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    report, stop, supervisor = played(plane, monkeypatch, [], report=None, log=LOG, interrupt=True)

    assert isinstance(stop, KeyboardInterrupt)
    assert supervisor.stopped == [execute.NAME]
    assert sorted(result.state for result in report.results.values()) == ["failed", "passed"]
