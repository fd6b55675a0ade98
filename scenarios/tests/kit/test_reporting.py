"""The first cause stands before the text of a failed test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scenarios.kit.reporting import put_first
from scenarios.tests.kit.session_fakes import run


def make_report(longrepr: Any) -> pytest.TestReport:
    return pytest.TestReport("test_a", ("test_a.py", 1, "test_a"), {}, "failed", longrepr, "call")


def test_the_cause_is_the_first_line_of_a_traceback() -> None:
    with pytest.raises(ValueError) as raised:
        int("not scheduled yet")
    report = make_report(raised.getrepr())

    put_first(report, ["cause: karmada/karmada-scheduler is stopped", "remedy: restart it"])

    assert report.longreprtext.lstrip("E ").startswith("cause: karmada/karmada-scheduler is stopped")
    assert "not scheduled yet" in report.longreprtext
    assert report.longrepr.reprcrash.message.startswith("cause: ")  # type: ignore[union-attr]


def test_the_cause_is_the_first_line_of_a_text() -> None:
    report = make_report("not scheduled yet")

    put_first(report, ["cause: karmada/karmada-scheduler is stopped"])

    assert report.longreprtext.splitlines() == ["cause: karmada/karmada-scheduler is stopped", "not scheduled yet"]


@pytest.mark.spawns
def test_a_leak_fails_the_session(project: Path) -> None:
    (project / "test_a.py").write_text("def test_lab(lab): pass\n")

    done = run(project, FAKE="leaks")

    assert done.returncode == 7, done.stdout + done.stderr
    assert "process 17" in done.stdout


@pytest.mark.spawns
def test_a_failed_test_gets_evidence(project: Path) -> None:
    (project / "test_a.py").write_text("def test_lab(lab): assert False\n")

    done = run(project, "-p", "allure_pytest.plugin", "--alluredir", "allure-results")

    assert done.returncode == 1
    (index,) = (project / "_artifacts").glob("*/*-test_lab/index.json")
    assert str(index.parent) in done.stdout
    results = [json.loads(path.read_text()) for path in (project / "allure-results").glob("*-result.json")]
    assert [attached["name"] for result in results for attached in result["attachments"]] == ["evidence"]
