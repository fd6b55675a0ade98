"""How a session is reported and ended: evidence of failed tests, masked secrets, the steps of `up`, the end of the lab, the exit code."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import allure
import pytest
from _pytest._code.code import ExceptionChainRepr
from _pytest.junitxml import xml_key

from lab.diagnosis.explain import is_named, render_causes
from lab.run import Run
from scenarios.kit.fixtures import NoLabHere
from scenarios.kit.options import OPTIONS, SESSION, session_of
from scenarios.kit.signals import INTERRUPTED
from scenarios.kit.step_cases import step_reports

if TYPE_CHECKING:
    from scenarios.kit.session import Session

SUMMARY = pytest.StashKey[list[str]]()

MAX_EVIDENCE = 10
"""The number of failed tests per process for which evidence is collected: it takes seconds, and later failures add little."""


@pytest.hookimpl(wrapper=True, trylast=True)  # other plugins get the masked report
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Collect evidence for a failed test before the lab changes, name its directory in the report, and mask the lab's secrets."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, NoLabHere):
        report.longrepr = error.why.brief if error.shown or not error.why.first else str(error)
        error.shown = True
    elif error is not None and report.failed and SESSION in item.config.stash:
        if lines := explain_failure(item, str(error)):
            put_first(report, lines)
        reason = item.name + ("" if call.when == "call" else f"-{call.when}")
        for folder in collect_evidence(item, reason):
            report.sections.append(("evidence", str(folder)))
            if item.config.getoption("allure_report_dir", None):
                allure.attach.file(folder / "index.json", name="evidence", attachment_type=allure.attachment_type.JSON)
    if SESSION in item.config.stash and (report.longrepr or report.sections):
        mask_secrets(item.config.stash[SESSION], report)
    return report


def explain_failure(item: pytest.Item, error: str) -> list[str]:
    """Return lines that name what is wrong with the session's lab; [] when nothing is, or when the error names it already.

    A test that breaks the lab on purpose is not explained by what it broke.
    """
    session = item.config.stash[SESSION]
    if not session.has_lab or "lab" not in getattr(item, "fixturenames", ()) or item.get_closest_marker("breaks"):
        return []
    from lab.diagnosis.diagnose import diagnose  # noqa: PLC0415 (an HTTP client and TLS, 0.4 s of CPU that sessions without a lab do not need)

    namespace = getattr(item, "funcargs", {}).get("namespace", "")
    causes = diagnose(session.lab().run, namespace=namespace).causes
    return render_causes(causes) if causes and not is_named(causes[0], error) else []


def put_first(report: pytest.TestReport, lines: Sequence[str]) -> None:
    """Put lines before the text of a failed report, and the first of them before its message, which summaries and JUnit files show."""
    text = report.longrepr
    if isinstance(text, ExceptionChainRepr):
        if text.reprcrash:
            text.reprcrash.message = f"{lines[0]}\n{text.reprcrash.message}"
        first = text.chain[0][0].reprentries[0]
        first.lines = [*(f"E   {line}" for line in lines), *first.lines]
    elif text is not None:
        report.longrepr = "\n".join([*lines, str(text)])


def mask_secrets(session: Session, report: pytest.TestReport) -> None:
    """Mask the secrets of the session's labs in a report. After a failure read them again: the test may have created some."""
    labs = sys.modules.get("scenarios.kit.extra_lab")
    if session.has_lab or (labs and (labs.EXTRA_LABS.runs or labs.EXTRA_LABS.known_secrets.values)):
        from scenarios.kit.masking import mask_report  # noqa: PLC0415 (0.5 s of CPU: numpy)

        mask_report(report, session.known(labs.EXTRA_LABS.secrets() if labs and report.failed else None, ask=report.failed))


def collect_evidence(item: pytest.Item, reason: str) -> list[Path]:
    """Collect evidence of the labs that a failed test used: the shared lab and extra labs. Return the directories."""
    session = item.config.stash[SESSION]
    if session.collected >= MAX_EVIDENCE:
        return []
    shared = [session.collect(reason)] if "lab" in getattr(item, "fixturenames", ()) and session.has_lab else []
    return [*shared, *(labs.EXTRA_LABS.collect(reason) if (labs := sys.modules.get("scenarios.kit.extra_lab")) else ())]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Give extra labs the directory for evidence. No collected test uses extra labs if the module is not imported."""
    if labs := sys.modules.get("scenarios.kit.extra_lab"):
        labs.EXTRA_LABS.evidence = session_of(session.config).options.evidence


@pytest.hookimpl(wrapper=True, trylast=True)  # when fixtures are torn down and workers have ended
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, Any, Any]:
    """End the session's lab, also when other plugins raise."""
    try:
        return (yield)
    finally:
        finish(session)


def finish(session: pytest.Session) -> None:
    """Write the lab's steps to the JUnit file, take the lab down unless it is attached to or kept, and set the exit code."""
    config = session.config
    if hasattr(config, "workerinput") or not (SESSION in config.stash or uses_lab(config)):
        return
    mine = session_of(config)
    outcome = mine.outcome
    report_steps(config, mine)
    if wants_results(config):
        mine.keep_journal()
        mask_files(config, mine)
    failed = session.testsfailed > 0 or bool(outcome and outcome.error)
    lines, leak = mine.end(failed=failed, interrupted=bool(INTERRUPTED))
    if outcome and outcome.error:
        lines = [*outcome.error.splitlines(), *lines]
        session.exitstatus = outcome.exit_code
    if leak:
        lines += str(leak).splitlines()
        session.exitstatus = leak.exit_code
    if INTERRUPTED:
        session.exitstatus = INTERRUPTED[0]
    config.stash[SUMMARY] = lines


def uses_lab(config: pytest.Config) -> bool:
    """Return whether any process of this session requested the lab."""
    folder = Path(config.stash[OPTIONS]["folder"])
    return folder.is_dir() and any(folder.iterdir())


def wants_results(config: pytest.Config) -> bool:
    """Return whether this session writes JUnit or Allure results."""
    return bool(config.getoption("xmlpath", None) or config.getoption("allure_report_dir", None))


def mask_files(config: pytest.Config, session: Session) -> None:
    """Mask the secrets of the session's labs in result files, while the labs exist: plugins also write text that is in no report."""
    from scenarios.kit.masking import mask_results  # noqa: PLC0415 (as above)

    junit, allure = config.getoption("xmlpath", None), config.getoption("allure_report_dir", None)
    mask_results(Path(junit) if junit else None, Path(allure) if allure else None, session.known())


def report_steps(config: pytest.Config, session: Session) -> None:
    """Add the steps of `up` to the JUnit file, if one is requested, and write it again."""
    xml = config.stash.get(xml_key, None)
    if xml is None or session.options.attach or not (session.options.run_path / "run.json").exists():
        return
    for report in step_reports(Run.load(session.options.lab).events(), lab=session.options.lab):
        xml.pytest_runtest_logreport(report)
    xml.pytest_sessionfinish()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print which tests were skipped because of this lab, and what happened to the lab."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
        if reason.startswith(("needs ", "unknown: ")):
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"not run here: {count} test{'s' if count > 1 else ''}: {reason}")
    if lines := config.stash.get(SUMMARY, []):
        terminalreporter.section("lab")
        for line in lines:
            terminalreporter.write_line(line)
