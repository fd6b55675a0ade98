"""What pytest reports of a failure holds no value of a Secret, in whatever way the failure shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from _pytest.reports import TestReport

from lab.masking.secret_values import index_values
from lab.tests.carriers import b64, holds
from scenarios.kit.masking import mask_report, mask_results

VALUE = "Zk4jW8qLmP2xT6"
KNOWN = index_values([VALUE])


def compare() -> None:
    got = {"data": {"k": b64(VALUE)}, "stringData": {"k": VALUE}}
    assert got == {"data": {"k": "x"}}, f"expected x, got {got}"


def show_arguments(value: str = VALUE, items: tuple[str, ...] = (b64(VALUE),)) -> None:
    raise ValueError(value, items)


def chain() -> None:
    try:
        show_arguments()
    except ValueError as error:
        raise RuntimeError(f"it was {VALUE!r}") from error


def split() -> None:
    text = "\n".join(b64(VALUE * 4)[at : at + 20] for at in range(0, 76, 20))
    pytest.fail(text)


FAILURES: dict[str, Callable[[], None]] = {"compare": compare, "arguments": show_arguments, "chain": chain, "lines": split}


@pytest.mark.parametrize("style", ["long", "short", "line", "native", "no", "value"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_report_holds_no_value(request: pytest.FixtureRequest, failure: str, style: str) -> None:
    config = request.config
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config.option, "tbstyle", style)
        patch.setattr(config.option, "showlocals", True)
        call = pytest.CallInfo.from_call(FAILURES[failure], "call", reraise=None)
        report = TestReport.from_item_and_call(request.node, call)
    report.sections = [("Captured stdout call", f"found {VALUE}\nand {b64(f'x{VALUE}')}")]
    report.user_properties = [("note", VALUE)]

    mask_report(report, KNOWN)

    assert not holds(report.longreprtext, VALUE)
    assert not holds(json.dumps(report._to_json(), default=str), VALUE)  # what xdist sends, and JUnit is made of
    assert "***" in report.capstdout


def test_without_known_values_a_report_stays(request: pytest.FixtureRequest) -> None:
    call = pytest.CallInfo.from_call(compare, "call", reraise=None)
    report = TestReport.from_item_and_call(request.node, call)
    before = report.longreprtext

    mask_report(report, index_values([]))

    assert report.longreprtext == before


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "allure").mkdir()
    (tmp_path / "allure" / "a-result.json").write_text(json.dumps({"name": "t", "statusDetails": {"message": f"assert {VALUE!r}"}}))
    (tmp_path / "allure" / "b-attachment.txt").write_text(f"k: {b64(VALUE)}\nother: 1\n")
    (tmp_path / "allure" / "c-attachment.txt").write_text("nothing secret\n")
    case = f'<testcase name="a[{VALUE}]"><failure message="&quot;{VALUE}&quot;">{b64(VALUE)} &lt;x&gt;</failure></testcase>'
    (tmp_path / "junit.xml").write_text(f'<testsuites><testsuite tests="1">{case}<testcase name="b"/></testsuite></testsuites>')
    return tmp_path


def test_files_of_results_hold_no_value(results: Path) -> None:
    found = mask_results(results / "junit.xml", results / "allure", KNOWN)

    written = [path for path in results.rglob("*") if path.is_file()]
    assert [path.name for path in written if holds(path.read_text(), VALUE)] == []
    assert sorted(path.name for path in found) == ["a-result.json", "b-attachment.txt", "junit.xml"]


def test_masked_files_are_whole(results: Path) -> None:
    mask_results(results / "junit.xml", results / "allure", KNOWN)

    cases: Any = ET.fromstring((results / "junit.xml").read_text()).iter("testcase")
    assert [case.get("name") for case in cases] == ["a[***]", "b"]
    assert json.loads((results / "allure" / "a-result.json").read_text())["name"] == "t"
    assert (results / "allure" / "c-attachment.txt").read_text() == "nothing secret\n"


def test_no_results_are_no_error(tmp_path: Path) -> None:
    assert mask_results(None, tmp_path / "none", KNOWN) == []
    assert mask_results(tmp_path / "none.xml", None, KNOWN) == []
