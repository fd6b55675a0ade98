"""JUnit, the summary, Allure and the command line, of one run with one of everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest
from junitparser import JUnitXml
from pydantic import BaseModel, ConfigDict

from reports import allure, junit
from reports.report import Report, ReportInputs, read_report
from reports.summary import MOST, format_summary
from reports.tests.results import NAME, PASSED, cell, failed, main, skipped, steps

UP = steps(("member1/etcd", 1000.0, 1002.0, []), ("member1", 1002.5, 1003.0, ["member1/etcd"]), up=4.0)
LOST = failed("AssertionError: assert 1 | 2 <b>", "E   AssertionError\n\nscenarios/test_join.py:1: AssertionError")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One cell that failed, one that left nothing, and one that was broken off."""
    result = {
        "uuid": "u1",
        "historyId": "h1",
        "fullName": "scenarios.test_join#test_b",
        "name": "test_b",
        "status": "failed",
        "start": 1,
        "stop": 2,
    }
    result |= {
        "statusDetails": {"message": "AssertionError"},
        "labels": [{"name": "suite", "value": "test_join"}, {"name": "host", "value": "vm"}],
    }
    skip = {**result, "uuid": "u4", "name": "test_d", "status": "skipped", "statusDetails": {"message": "Skipped: unknown: no kernel"}}
    evidence = "evidence/20260101T000000-test_b"
    cell(
        tmp_path,
        PASSED,
        LOST,
        skipped("needs PODS"),
        skipped("unknown: no kernel", name="test_d"),
        journal=UP,
        files={
            "allure-results/u1-result.json": json.dumps(result),
            "allure-results/u4-result.json": json.dumps(skip),
            f"{evidence}/logs/member1/etcd.log": "one\n",
            "allure-results/torn-result.json": "{",
        },
        outcome="fail",
        exit_code=1,
    )
    page = {"perf/trial/report.html": "<p>a timeline</p>"}
    cell(tmp_path, name="kind-by_chart-1-2-core", files=page, outcome="unknown", reason="no KVM | here", exit_code=3)
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "cell.json").write_text("{")
    return tmp_path


@pytest.fixture
def report(folder: Path) -> Report:
    return read_report(ReportInputs([folder]))


def test_junit_has_a_suite_a_cell_with_steps_and_tests_as_cases(report: Report, tmp_path: Path) -> None:
    junit.write_file(report, tmp_path / "all.xml")

    suites = {suite.name: suite for suite in JUnitXml.fromfile(str(tmp_path / "all.xml"))}
    assert set(suites) == {NAME, "kind-by_chart-1-2-core", "torn"}
    cases = {case.name: case for case in suites[NAME]}
    assert {"member1/etcd", "member1", "test_a", "test_b", "test_c", "test_d"} == set(cases)
    assert cases["member1/etcd"].time == 2.0
    assert cases["test_b"].classname == f"{NAME}.scenarios.test_join"
    assert [(type(each).__name__, each.type) for each in cases["test_b"].result] == [("Failure", "product")]
    assert [each.message for each in cases["test_d"].result] == ["unknown: no kernel"]
    assert suites[NAME].failures == 1
    (whole,) = suites["kind-by_chart-1-2-core"]
    assert [each.message for each in whole.result] == ["unknown: no KVM | here"]


def test_the_summary_begins_with_the_verdict_and_is_no_markup_of_others(report: Report) -> None:
    text = format_summary(report)

    assert text.startswith("## ❌ 3 cells: 1 failed, 2 unknown\n")
    assert "| ❔ unknown | kind-by\\_chart-1-2-core |  |  | 1 min 0 s | no KVM \\| here |" in text
    assert "**product** · `scenarios.test_join::test_b`" in text
    assert "assert 1 \\| 2 &lt;b&gt;" in text
    assert "cell.json is half-written" in text


def test_a_summary_fits_the_limit_of_a_job(tmp_path: Path) -> None:
    cells = [cell(tmp_path, name=f"c{n}", outcome="unknown", reason="x" * 480) for n in range(2500)]

    text = format_summary(read_report(ReportInputs(cells)))

    assert len(text.encode()) <= MOST + 100
    assert text.endswith("see the pages of the report.\n")


class Strict(BaseModel):
    """Of Allure 2's model of results: what `allure generate` reads, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Named(Strict):
    name: str
    value: str


class Attached(Strict):
    name: str
    source: str
    type: str


class Linked(Strict):
    name: str
    url: str
    type: str


class Details(Strict):
    message: str = ""
    trace: str = ""
    flaky: bool = False
    known: bool = False
    muted: bool = False


class Executed(Strict):
    name: str
    status: Literal["failed", "broken", "passed", "skipped"] | None = None
    statusDetails: Details = Details()  # noqa: N815 (its name there)
    stage: Literal["finished"] = "finished"
    start: int
    stop: int
    steps: list[Executed] = []
    attachments: list[Attached] = []
    parameters: list[Named] = []


class AllureResult(Executed):
    uuid: str
    historyId: str  # noqa: N815
    testCaseId: str  # noqa: N815
    fullName: str  # noqa: N815
    labels: list[Named]
    links: list[Linked] = []


def test_allure_s_generator_can_read_every_result(report: Report, tmp_path: Path) -> None:
    allure.write_results(report, tmp_path / "allure")

    found = [AllureResult.model_validate(each) for each in results(tmp_path / "allure").values()]
    assert len({each.uuid for each in found}) == len(found) > 3
    for each in found:
        assert each.stop >= each.start
        assert all((tmp_path / "allure" / attached.source).is_file() for attached in each.attachments)


def results(folder: Path) -> dict[str, Any]:
    return {each["name"]: each for each in (json.loads(path.read_text()) for path in folder.glob("*-result.json"))}


def test_allure_has_every_cell_with_steps_evidence_and_owner(report: Report, tmp_path: Path) -> None:
    allure.write_results(report, tmp_path / "allure")

    found = results(tmp_path / "allure")
    assert set(found) == {"test_a", "test_b", "test_c", "test_d", "up", "kind-by_chart-1-2-core", "torn"}
    only_in_junit = [found[name] for name in ("test_a", "test_c")]
    assert [(each["status"], each["stop"] - each["start"]) for each in only_in_junit] == [("passed", 1500), ("skipped", 0)]
    assert found["test_c"]["statusDetails"]["message"] == "needs PODS"
    test = found["test_b"]
    assert {"name": "parentSuite", "value": NAME} in test["labels"]
    assert {"name": "suite", "value": "test_join"} not in test["labels"]
    assert test["statusDetails"]["message"].startswith("[product] AssertionError")
    attached = {each["name"]: (tmp_path / "allure" / each["source"]).read_text() for each in test["attachments"]}
    assert attached == {"logs/member1/etcd.log": "one\n"}
    assert [(step["name"], step["status"], step["stop"] - step["start"]) for step in found["up"]["steps"]] == [
        ("member1/etcd", "passed", 2000),
        ("member1", "passed", 500),
    ]
    timeline = (tmp_path / "allure" / found["up"]["attachments"][0]["source"]).read_text()
    assert "member1" in timeline
    assert "status" not in found["torn"], "unknown"
    assert "status" not in found["test_d"], "unknown, though pytest knows it as skipped"
    (own,) = found["kind-by_chart-1-2-core"]["attachments"]
    assert (own["name"], (tmp_path / "allure" / own["source"]).read_text()) == ("trial/report.html", "<p>a timeline</p>")
    categories = json.loads((tmp_path / "allure/categories.json").read_text())
    assert [each["name"].partition(":")[0] for each in categories] == [
        "Known flakes",
        "Product",
        "Infrastructure",
        "Harness",
        "Test",
        "Unknown",
    ]
    assert "kubernetes=1.35.4\n" in (tmp_path / "allure/environment.properties").read_text()


def test_the_same_test_of_two_cells_is_two_and_keeps_its_history(folder: Path, tmp_path: Path) -> None:
    other = cell(
        folder,
        name="other",
        files={"allure-results/u1-result.json": (folder / NAME / "allure-results/u1-result.json").read_text().replace("u1", "u2")},
    )
    earlier = cell(tmp_path / "earlier", PASSED.replace("test_a", "test_b"), run="0", started=500.0)

    report = read_report(ReportInputs([folder / NAME, other, earlier]))
    allure.write_results(report, tmp_path / "allure")

    ids = [json.loads((tmp_path / "allure" / f"{each}-result.json").read_text())["historyId"] for each in ("u1", "u2")]
    history = json.loads((tmp_path / "allure/history/history.json").read_text())
    assert len(set(ids)) == 2
    assert [each["status"] for each in history[ids[0]]["items"]] == ["passed"]
    assert ids[1] not in history
    assert json.loads((tmp_path / "allure/history/history-trend.json").read_text())[0]["data"]["passed"] == 1


def test_the_command_line_s_exit_codes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(folder)]) == 0
    assert main(["judge", str(folder)]) == 1
    assert main(["retry", str(folder)]) == 1
    assert main(["judge", str(tmp_path / "nowhere")]) == 2
    passed = cell(tmp_path / "good", PASSED)
    assert main(["judge", str(passed)]) == 0
    assert main(["judge", str(passed / "cell.json")]) == 2, "a file is no folder of results"
    assert main(["build", str(passed), "--out", str(passed / "cell.json")]) == 3, "nor one to write pages to"
    (tmp_path / "plan.json").write_text(json.dumps({"cells": [{"name": "kind-a-1-2-smoke"}, {"name": NAME}]}))
    assert main(["judge", str(passed), "--plan", str(tmp_path / "plan.json")]) == 3, "the planned cell is unknown"
    assert main(["retry", str(passed)]) == 1, "what did not fail is not run again"
    disk = cell(tmp_path / "disk", outcome="fail", exit_code=4, journal=steps(("a", 0.0, 1.0, []), error="ENOSPC", kind="ProvisionError"))
    assert main(["retry", str(disk)]) == 0
    (tmp_path / "flakes.toml").write_text('[[flake]]\ntest = "a"\nowner = "@o"\nissue = "#1"\nexpires = 2020-01-01\n')
    capsys.readouterr()
    assert main(["summary", str(passed), "--flakes", str(tmp_path / "flakes.toml")]) == 1
    assert "a expired on 2020-01-01; @o owns it: #1" in capsys.readouterr().err
