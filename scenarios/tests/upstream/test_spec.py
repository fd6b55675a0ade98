"""A spec of upstream's suite and its result, read from the JSON report of ginkgo (its types/types.go, Report and SpecReport)."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.tests.upstream.upstream_fakes import row
from scenarios.upstream.spec import of_document, read


def test_a_report_is_read_in_the_order_of_the_sources_whatever_order_it_ran_in() -> None:
    report = of_document({"SpecReports": [row("b", "[x]", line=9), row("a", "[x]", "", line=3), row("c", file="mcs_test.go", line=7)]})

    assert [(each.file, each.line, each.text) for each in report.results] == [
        ("mcs", 7, "c"),
        ("search", 3, "[x] a"),
        ("search", 9, "[x] b"),
    ]
    assert {result.seconds for result in report.results.values()} == {1.5}


def test_specs_with_the_same_text_are_distinct() -> None:
    report = of_document({"SpecReports": [row("nodes", state="failed", line=8), row("nodes", line=4)]})

    assert {each.name: result.state for each, result in report.results.items()} == {"nodes": "passed", "nodes #2": "failed"}


def test_labels_of_containers_are_the_specs_too() -> None:
    (only,) = of_document({"SpecReports": [row("a", "x", ContainerHierarchyLabels=[["needCreateCluster"]], labels=["Serial"])]}).results

    assert only.labels == {"needCreateCluster", "Serial"}


def test_a_failure_has_its_message_and_its_position() -> None:
    failure = {"Message": "\nTimed out after 420s.\n", "Location": {"FileName": "/a/b/framework/cluster.go", "LineNumber": 42}}
    (result,) = of_document({"SpecReports": [row("a", state="failed", Failure=failure, CapturedStdOutErr="klog\n")]}).results.values()

    assert (result.message, result.where, result.output) == ("Timed out after 420s.", "cluster.go:42", "klog\n")


def test_what_fails_around_specs_is_not_lost() -> None:
    before = {"LeafNodeType": "SynchronizedBeforeSuite", "State": "failed", "Failure": {"Message": "cluster member2 not ready"}}
    report = of_document({"SpecReports": [before, row("a", state="skipped")], "SpecialSuiteFailureReasons": None})

    assert [(node, result.message) for node, result in report.around] == [("SynchronizedBeforeSuite", "cluster member2 not ready")]


@pytest.mark.parametrize("text", [None, "", "[{", "[]", "{}", '[{"SpecReports": 3}]'])
def test_a_torn_report_is_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text)

    assert read(path) is None
