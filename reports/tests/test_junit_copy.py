"""Copy a JUnit file as a stream: masked, in UTF-8, well-formed, with long texts shortened, and otherwise unchanged."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml

from lab.steps import StepOutcome
from reports.junit_copy import copy_junit
from reports.junit_results import read_results
from reports.tests.junit_results_fakes import MANY_RESULTS, A, B, outcomes_of, suite

P, F, S, U = StepOutcome.PASS, StepOutcome.FAIL, StepOutcome.SKIP, StepOutcome.UNKNOWN
PARTS = st.sampled_from([A, B, MANY_RESULTS, "<testsuite>", "</testsuite>", "&", "<", '"', "<![CDATA[", "]]>", "<!--", "-->", "\x1b", "é"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(PARTS, st.text(max_size=5)), max_size=12).map("".join), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
@example("&#", "utf-8")
def test_a_copy_is_xml_and_tells_the_same(tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.xml"
    path.write_bytes(suite(A, text, B).encode(encoding, errors="replace"))
    found = read_results(path)
    out = io.BytesIO()

    copy = copy_junit(path, out)

    path.write_bytes(out.getvalue())
    again = read_results(path)
    JUnitXml.fromfile(str(path))
    assert outcomes_of(again)[:1] == [("a", P)]
    assert sorted(outcomes_of(again)) == sorted(outcomes_of(found))
    assert bool(copy.torn) == bool(found.torn)
    assert again.torn == ""
