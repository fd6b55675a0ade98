"""Collecting: one folder, whole, masked, whatever is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.run import Run
from lab.steps import StepOutcome
from reports.cell import CellResults
from reports.collect import Sources, collect
from reports.tests.collect_fakes import results
from reports.tests.results import PASSED, failed, steps

ASKED = {"lab": {"provider": "embedded", "kubernetes": "1.35.4"}, "karmada": {"deployer": "by_binary", "release": "1.18.2"}}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path / "runs"))
    for name in ("GITHUB_RUN_ID", "GITHUB_SHA"):
        monkeypatch.delenv(name, raising=False)


def test_a_run_and_its_tests_become_a_cell_named_by_what_was_asked_for(tmp_path: Path) -> None:
    run = Run.create("mine", ASKED)
    for event in steps(("a", 1.0, 2.0, [])):
        run.journal(**event) if "at" not in event else run.journal(event["event"], **{k: v for k, v in event.items() if k != "event"})
    (run.path / "evidence" / "20260101T000000-NotReady").mkdir(parents=True)
    (run.path / "evidence" / "20260101T000000-NotReady" / "index.json").write_text("{}")
    run.folder("pki")
    (run.path / "pki" / "ca.key").write_text("secret")

    cell = collect(Sources(lab="mine", junit=results(tmp_path, PASSED), parts={"suite": "smoke"}, exit_code=0), tmp_path / "out")

    assert (cell.name, cell.outcome) == ("embedded-by_binary-1.18.2-1.35.4-smoke", StepOutcome.PASS)
    files = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert files == ["cell.json", "evidence/20260101T000000-NotReady/index.json", "journal.jsonl", "junit.xml", "run.json"]
    assert CellResults.parse(json.loads((tmp_path / "out/cell.json").read_text()), tmp_path / "out") == cell


def test_what_a_session_kept_of_a_lab_that_is_gone_is_found(tmp_path: Path) -> None:
    kept = tmp_path / "artifacts" / "test-abc"
    (kept / "20260101T000000-test_b").mkdir(parents=True)
    (kept / "run.json").write_text(json.dumps({"schema": 1, "id": "test-abc", "created": 5.0, "asked": ASKED}))
    (kept / "20260101T000000-test_b" / "index.json").write_text("{}")

    cell = collect(
        Sources(artifacts=tmp_path / "artifacts", junit=results(tmp_path, PASSED, failed("AssertionError: no"))), tmp_path / "out"
    )

    assert (cell.outcome, cell.reason, cell.started) == (StepOutcome.FAIL, "1 test failed", 5.0)
    assert (tmp_path / "out/evidence/20260101T000000-test_b/index.json").exists()


def test_what_is_missing_or_no_text_is_listed(tmp_path: Path) -> None:
    (tmp_path / "perf").mkdir()
    (tmp_path / "perf" / "samples.gz").write_bytes(b"\x1f\x8b\x00\xff")
    (tmp_path / "torn.xml").write_text("<testsuites><testcase name='a")

    cell = collect(
        Sources(lab="gone", junit=tmp_path / "torn.xml", perf=(tmp_path / "perf",), logs=(tmp_path / "no.log",), exit_code=0),
        tmp_path / "out",
    )

    assert cell.outcome is StepOutcome.UNKNOWN
    assert cell.reason.startswith("junit.xml is not whole")
    assert list(cell.torn) == ["junit.xml"]
    assert sorted(cell.missing) == ["logs/no.log", "run.json"]
    assert cell.left_out == {"perf/perf/samples.gz": "not text"}


def test_what_is_no_junit_at_all_is_kept_as_text(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text("Killed &lt;137&gt;\n")

    cell = collect(Sources(junit=tmp_path / "junit.xml", exit_code=0), tmp_path / "out")

    assert (cell.outcome, list(cell.missing)) == (StepOutcome.UNKNOWN, ["junit.xml"])
    assert (tmp_path / "out" / "junit.xml.txt").read_text() == "Killed <137>\n"


def test_collecting_twice_replaces(tmp_path: Path) -> None:
    collect(Sources(name="a", logs=(results(tmp_path),)), tmp_path / "out")
    collect(Sources(name="b"), tmp_path / "out")

    assert [path.name for path in tmp_path.glob("out/**/*")] == ["cell.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "results.xml"]
