"""`lab report allure`: Allure results of all cells in one folder, for `allure generate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from reports import allure
from reports.report import Report, ReportInputs, read_report
from reports.tests.results import NAME, PASSED, cell


@pytest.fixture
def report(folder: Path) -> Report:
    return read_report(ReportInputs([folder]))


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
