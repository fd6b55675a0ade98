"""Results of jobs, as small as they can be, in the shape that jobs leave them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.verbs import app
from reports.cell import SCHEMA
from reports.evaluate import EvaluatedCell
from reports.report import Report, ReportInputs, read_report

PASSED = '<testcase classname="scenarios.test_join" name="test_a" time="1.5" />'
PARTS = {"provider": "embedded", "deployer": "by_binary", "release": "1.18.2", "kubernetes": "1.35.4", "suite": "smoke"}
NAME = "embedded-by_binary-1.18.2-1.35.4-smoke"


def failed(message: str, text: str = "", *, name: str = "test_b", home: str = "scenarios.test_join") -> str:
    """Return a failed case of pytest's junit.xml."""
    escaped = [each.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("\n", "&#10;") for each in (message, text)]
    return f'<testcase classname="{home}" name="{name}" time="2"><failure message="{escaped[0]}">{escaped[1]}</failure></testcase>'


def skipped(why: str, name: str = "test_c") -> str:
    result = f'<skipped type="pytest.skip" message="{why}">x</skipped>'
    return f'<testcase classname="scenarios.test_join" name="{name}" time="0">{result}</testcase>'


def junit(*cases: str) -> str:
    """Return a junit.xml as pytest writes it."""
    suite = f'<testsuite name="pytest">{"".join(cases)}</testsuite>'
    return f'<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">{suite}</testsuites>'


def steps(*records: tuple[str, float, float, list[str]], error: str = "", kind: str = "", up: float | None = None) -> list[dict[str, Any]]:
    """Return a journal's events of an `up` of steps (name, began, ended, needs); the last one fails where an error is given."""
    events: list[dict[str, Any]] = [{"at": min(began for _, began, _, _ in records), "event": "begun"}]
    for number, (name, began, ended, needs) in enumerate(records):
        wrong = {"error": error, "kind": kind, "exit_code": 4} if error and number == len(records) - 1 else {}
        events.append({"at": began, "event": "begin", "step": name, "needs": needs})
        outcome = "fail" if wrong else "pass"
        events.append({"at": ended, "event": "end", "step": name, "seconds": ended - began, "outcome": outcome, **wrong})
    last = max(ended for _, _, ended, _ in records)
    end = {"at": last, "event": "failed", "error": error} if error else {"at": last, "event": "up", "seconds": up or last - records[0][1]}
    return [*sorted(events, key=lambda event: event["at"]), end]


def cell(
    folder: Path,
    *cases: str,
    journal: list[dict[str, Any]] | None = None,
    files: dict[str, str] | None = None,
    name: str = NAME,
    **values: Any,
) -> Path:
    """Write the folder of a cell and return it. `values` are further fields of its cell.json."""
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    document = {"schema": SCHEMA, "name": name, **PARTS, "outcome": "pass", "run": "1", "started": 1000.0, "ended": 1060.0, **values}
    (path / "cell.json").write_text(json.dumps(document))
    if cases:
        (path / "junit.xml").write_text(junit(*cases))
    if journal is not None:
        (path / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in journal))
    for file, text in (files or {}).items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(text)
    return path


def main(arguments: Sequence[str]) -> int:
    """Run `lab report` with these arguments in this process; return the exit code."""
    with pytest.raises(SystemExit) as stopped:
        app(["report", *arguments])
    return int(stopped.value.code or 0)


LOST = failed("AssertionError: assert 1 == 2", "E   AssertionError\n\nscenarios/test_join.py:1: AssertionError")


def reported(*paths: Path, **more: object) -> Report:
    return read_report(ReportInputs(paths, **more))  # type: ignore[arg-type]


def only(report: Report) -> EvaluatedCell:
    (one,) = report.cells
    return one
