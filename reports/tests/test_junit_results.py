"""No outcome is lost: files of any tool, in any encoding, damaged anywhere, of any size."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.steps import StepOutcome
from reports import junit_results
from reports.excerpt import EACH
from reports.junit_results import Results, read_results
from reports.tests.junit_results_fakes import MANY_RESULTS, A, B, outcomes_of, suite

CASES = Path(__file__).parent / "cases"
P, F, S, U = StepOutcome.PASS, StepOutcome.FAIL, StepOutcome.SKIP, StepOutcome.UNKNOWN
NAMESPACED = '<j:testcase j:name="a" name="b"><j:failure/></j:testcase>'
NAMESPACES = f'<j:testsuites xmlns:j="urn:x"><j:testsuite name="s">{NAMESPACED}</j:testsuite></j:testsuites>'
LAUGHS = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 12))


def results(folder: Path, content: str | bytes) -> Results:
    path = folder / "junit.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_results(path)


@pytest.mark.parametrize(
    ("content", "outcomes"),
    [
        (suite(A, B), [("a", P), ("b", F)]),
        (f'<testsuite name="s">{A}{B}</testsuite>', [("a", P), ("b", F)]),
        (f"{A}{B}", [("a", P), ("b", F)]),
        (suite(A) + suite(B), [("a", P), ("b", F)]),
        (f"collected 2 items\n{suite(A, B)}\n2 tests ran", [("a", P), ("b", F)]),
        (NAMESPACES, [("b", F)]),
        (suite(MANY_RESULTS), [("a", P), ("b", F), ("c", F), ("d", F), ("e", U), ("f", F), ("g", F)]),
        (suite('<testcase name="a" status="failed"/><testcase name="b" status="notrun"/>'), [("a", F), ("b", S)]),
        (suite("<testcase/><testcase><failure/></testcase>"), [("test 1 without a name", P), ("test 2 without a name", F)]),
        (suite('<error message="cannot collect"/>', A), [("the suite as a whole", F), ("a", P)]),
        (suite(A, more=' failures="1"'), [("a", P), ("the suite as a whole", F)]),
        (suite(more=' tests="3" errors="2"'), [("the suite as a whole", F)]),
        # what XML forbids
        (suite('<testcase name="a &amp;&amp; b && &nbsp;c"/>'), [("a && b && \u00a0c", P)]),
        (suite('<testcase name="Map<String>"/>', B), [("Map<String>", P), ("b", F)]),
        (suite('<testcase name="\x1b[31ma&#27;[0m\x00b&#x0;&#xD800;&#1114112;c"/>', B), [("abc", P), ("b", F)]),
        (suite("<testcase name='a' time='1' ><![CDATA[x ]] > <testcase>]]></testcase>", B), [("a", P), ("b", F)]),
        (f"<!DOCTYPE x [{LAUGHS}]>" + suite('<testcase name="&l11;"/>', B), [("&l11;", P), ("b", F)]),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd">' + suite(A), [("a", P)]),
        (f"<!-- <testcase name='x'/> --><?x <testcase?>{suite(A)}", [("a", P)]),
    ],
)
def test_every_shape_tells_its_outcomes(tmp_path: Path, content: str, outcomes: list[tuple[str, StepOutcome]]) -> None:
    found = results(tmp_path, content)

    assert outcomes_of(found) == outcomes
    assert (found.torn, found.cut) == ("", "")


@pytest.mark.parametrize(
    ("content", "outcomes"),
    [
        (suite(A, B).partition("</testsuite>")[0], [("a", P), ("b", F)]),
        (suite(A, B).partition("text")[0], [("a", P), ("b", F)]),
        (suite(A, B).partition("no")[0], [("a", P), ("b", F)]),
        (suite(A, '<testcase name="b">').partition("</testsuite>")[0], [("a", P), ("b", U)]),
        (suite(A, '<testcase name="b').partition("</testsuite>")[0], [("a", P), ("test 1 without a name", U)]),
        (suite(A, more=' failures="1"').partition("</testsuite>")[0], [("a", P), ("the suite as a whole", F)]),
        (suite(A, "<testcase name='q' = 3></testcase>", B), [("a", P), ("q", U), ("b", F)]),
        (suite(A, '<testcase name="q"><failure message="x>y</failure></testcase>', B), [("a", P), ("q", F), ("b", F)]),
        (suite(A, '<testcase name="q><system-out/></testcase>', B), [("a", P), ("test 1 without a name", U), ("b", F)]),
        (suite(A, '<testcase name="q"><failure>x</testcase>', B), [("a", P), ("q", F), ("b", F)]),
        (suite(A, "<![CDATA[ never closed", B), [("a", P)]),
    ],
)
def test_a_damaged_file_is_reported_and_costs_no_complete_test(
    tmp_path: Path, content: str, outcomes: list[tuple[str, StepOutcome]]
) -> None:
    found = results(tmp_path, content)

    assert outcomes_of(found) == outcomes
    assert "junit.xml is not whole" in found.torn


@pytest.mark.parametrize("content", ["", " \n", "Killed", "<html><body>502</body></html>", "\x00\x00\x00\x00", "\ufeff"])
def test_what_is_no_junit_file_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(ValueError, match=r"junit\.xml"):
        results(tmp_path, content)


def test_a_folder_a_loop_of_links_and_a_pipe_are_errors(tmp_path: Path) -> None:
    import os

    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "loop", "pipe", "nothing"):
        with pytest.raises(ValueError, match=r"junit\.xml"):
            read_results(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1.5", 1.5), (" 2 ", 2.0), ("1e-3", 0.001), (".5", 0.5), ("3.", 3.0)]
    + [(odd, None) for odd in ("0.-992", "NaN", "inf", "-1", "1,234.5", "", "1e400", "1_0", "0x10", "½", "٣", "12s", "1e300", "1:02")],
)
def test_an_odd_time_costs_only_the_duration(tmp_path: Path, text: str, seconds: float | None) -> None:
    found = results(tmp_path, suite(A, f'<testcase name="x" time="{text}"><failure/></testcase>', B))

    assert outcomes_of(found) == [("a", P), ("x", F), ("b", F)]
    assert found.cases[1].seconds == seconds


def test_an_id_with_colons_is_split_where_its_test_begins() -> None:
    found = read_results(CASES / "junit-ids-with-colons" / "junit.xml")

    assert [(case.home, case.name, case.outcome) for case in found.cases] == [
        ("scenarios.test_ids", "test_reaches[::1]", P),
        ("scenarios.test_ids", "test_reaches[fd00:10:96::1]", F),
        ("scenarios.test_ids", "test_reaches[2001:db8::/32]", P),
    ]


def test_tests_of_nested_suites_have_different_ids(tmp_path: Path) -> None:
    found = results(tmp_path, f'<testsuite name="q"><testsuite name="r">{A}<testsuite name="s">{A}</testsuite></testsuite></testsuite>')

    assert [case.id for case in found.cases] == ["q.r::a", "q.r.s::a"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_file_in_any_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?>{suite(A, B.replace("no", "größer als erwartet"))}'

    assert results(tmp_path, text.encode(encoding)).cases[1].message == "größer als erwartet"


def test_a_long_text_is_shortened_and_marked(tmp_path: Path) -> None:
    lines = "".join(f"line {number}\n" for number in range(200_000))

    found = results(tmp_path, suite(A, f'<testcase name="x"><failure message="{lines}">first\n{lines}last</failure></testcase>', B))

    assert outcomes_of(found) == [("a", P), ("x", F), ("b", F)]
    case = found.cases[1]
    assert case.text.startswith("first\nline 0\n")
    assert case.text.endswith("line 199999\nlast")
    assert len(case.text) < EACH + 100 > len(case.message)
    assert "characters omitted" in case.text
    assert "2 long texts of single tests" in found.cut


def test_tests_beyond_those_that_are_listed_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit_results, "GOOD_AT_MOST", 2)
    monkeypatch.setattr(junit_results, "BAD_AT_MOST", 1)

    found = results(tmp_path, suite(*([A] * 5), *([B] * 3)))

    assert outcomes_of(found) == [("a", P), ("a", P), ("b", F)]
    assert found.beyond == {P: 3, F: 2}
    assert found.tally == {P: 5, F: 3}


def test_many_damages_end(tmp_path: Path) -> None:
    began = time.monotonic()

    found = results(tmp_path, "<testsuites>" + "<testcase name='" * 50_000)

    assert time.monotonic() - began < 5
    assert "nothing is read" in found.torn or "more" in found.torn


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 600))
def test_wherever_a_file_breaks_off_nothing_that_failed_passes(tmp_path_factory: pytest.TempPathFactory, at: int) -> None:
    whole = suite(*(f'<testcase name="t{number}" time="1"><failure message="no">x</failure></testcase>' for number in range(8)))
    path = tmp_path_factory.getbasetemp() / "cut.xml"
    path.write_text(whole[:at])
    try:
        found = read_results(path)
    except ValueError:
        return
    assert {case.outcome for case in found.cases} <= {F, U}
    assert len(found.cases) >= whole[:at].count("</testcase>")
    assert bool(found.torn) == (at < len(whole))
