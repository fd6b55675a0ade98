"""Every verb ends in an exit code, whatever a job has left: no traceback, no cell hidden by another, no number that JSON lacks."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml

from lab.steps import StepOutcome
from reports.report import ReportInputs, read_report
from reports.tests.results import NAME, PASSED, cell, failed, main, steps

CASES = Path(__file__).parent / "cases"
OUT = {"build": "site", "junit": "all.xml", "allure": "allure"}
VERBS = ("build", "summary", "junit", "allure", "judge", "retry")
EVIDENCE = "evidence/20260101T000000-test_b"


def run_verbs(results: Path, out: Path, *arguments: str) -> dict[str, int]:
    """Run every verb on a folder, `collect` of its files too, and return their exit codes."""
    one = results / NAME
    copied = ["--lab", str(one), "--junit", str(one / "junit.xml"), "--allure", str(one / "allure-results"), "--out", str(out / "cell")]
    codes = {"collect": main(["collect", *copied, "--perf", str(one / "perf"), "--log", str(one / "logs/up.log"), "--exit-code", "0"])}
    for verb in VERBS:
        target = ["--out", str(out / OUT[verb])] if verb in OUT else []
        codes[verb] = main([verb, str(results), str(out / "cell"), *target, *arguments])
    return codes


def check_outputs(out: Path) -> None:
    """Check that what was written is what programs read: JSON without NaN, XML, UTF-8."""
    JUnitXml.fromfile(str(out / "all.xml"))
    made = ("*-result.json", "categories.json", "executor.json", "history/*.json")
    for path in [out / "cell/cell.json", *(path for pattern in made for path in (out / "allure").glob(pattern))]:
        json.loads(path.read_text(), parse_constant=refuse)
    for line in (out / "site/history.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=refuse)
    for path in out.rglob("*.html"):
        path.read_text()


def refuse(number: str) -> None:
    raise AssertionError(f"{number} is no JSON")


@pytest.mark.parametrize("case", sorted(path for path in CASES.rglob("*.xml")), ids=lambda path: path.parent.name)
def test_every_verb_reads_what_tools_really_write(tmp_path: Path, case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = cell(tmp_path / "cells", outcome="fail", exit_code=1)
    shutil.copy(case, folder / "junit.xml")
    other = cell(tmp_path / "cells", PASSED, name="other")

    codes = run_verbs(tmp_path / "cells", tmp_path / "out")

    assert codes == {"collect": 0, "build": 0, "summary": 0, "junit": 0, "allure": 0, "judge": 1, "retry": 1}
    check_outputs(tmp_path / "out")
    report = read_report(ReportInputs([folder, other]))
    assert [(each.tally[StepOutcome.FAIL], each.notes) for each in report.cells if each.cell.name == NAME] == [(1, ())]
    assert "not_there" not in capsys.readouterr().err


def valid(folder: Path) -> Path:
    """Write a cell that has every file a report reads."""
    result = {"uuid": "u1", "fullName": "scenarios.test_join#test_b", "name": "test_b", "status": "failed", "start": 1, "stop": 2}
    figures = [{"name": "pods", "unit": "pods/s", "median": 2.5}]
    one = cell(
        folder,
        PASSED,
        failed("AssertionError: no", "E   AssertionError\n\nscenarios/test_join.py:1: AssertionError"),
        journal=steps(("member1/etcd", 1.0, 2.0, []), ("b", 2.0, 3.0, ["member1/etcd"]), error="b: it failed"),
        files={
            "run.json": json.dumps({"schema": 1, "id": "mine", "created": 5.0, "asked": {"lab": {"provider": "kind"}, "karmada": None}}),
            "allure-results/u1-result.json": json.dumps(result),
            "perf/a.json": json.dumps({"schema": 1, "name": "x", "figures": figures}),
            f"{EVIDENCE}/index.json": json.dumps({"reason": "test_b", "missing": {"logs": "gone"}}),
            f"{EVIDENCE}/components.json": json.dumps([{"name": "etcd", "state": "ended", "status": 1, "restarts": 2}]),
            f"{EVIDENCE}/logs/etcd.log": "panic: no space left on device\n",
            "logs/up.log": "it failed\n  remedy: lab doctor\n",
        },
        outcome="fail",
        exit_code=4,
    )
    (folder / "plan.json").write_text(json.dumps({"cells": [{"name": NAME}], "left_out": [{"name": "b", "why": ["no KVM"]}]}))
    past = {"outcome": "pass", "seconds": 5.0, "up": 2.0, "tests": {"a::b": "p"}}
    (folder / "history.jsonl").write_text(json.dumps({"schema": 1, "run": "0", "at": 5.0, "cells": {NAME: past}, "figures": {"x": 1.0}}))
    (folder / "flakes.toml").write_text('[[flake]]\ntest = "a"\nowner = "@o"\nissue = "#1"\nexpires = 2999-01-01\n')
    return one


FILES = (
    "cell.json",
    "run.json",
    "journal.jsonl",
    "junit.xml",
    "allure-results/u1-result.json",
    "perf/a.json",
    f"{EVIDENCE}/index.json",
    f"{EVIDENCE}/components.json",
    f"{EVIDENCE}/logs/etcd.log",
    "logs/up.log",
    "../plan.json",
    "../history.jsonl",
    "../flakes.toml",
)
NUMBERS = (b"NaN", b"-Infinity", b"1e999", b"-1", b"null", b'"x"', b"[]", b"{}", b"9" * 400, b"1e300", b"true", b'"\\ud800"', b"[" * 2000)


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """Return what spoils a file: arbitrary bytes, an end, another encoding, odd numbers and shapes in the places of others."""
    kind = draw(st.sampled_from(["bytes", "end", "bit", "encoding", "number", "lines"]))
    at, data = draw(st.floats(0, 1)), draw(st.binary(max_size=40))
    number, encoding = draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(["utf-16", "utf-16-le", "utf-8-sig", "utf-32"]))

    def spoil(content: bytes) -> bytes:  # noqa: PLR0911 (one for each kind)
        place = int(at * len(content))
        match kind:
            case "bytes":
                return data
            case "end":
                return content[:place]
            case "bit":
                return content[:place] + data + content[place + len(data) :]
            case "encoding":
                return content.decode().encode(encoding)
            case "number":
                import re

                found = list(re.finditer(rb'(?<=: )(?:[0-9.]+|"[^"]*")|(?<==")[0-9.]+', content))
                if not found:
                    return number
                chosen = found[int(at * (len(found) - 1))]
                return content[: chosen.start()] + number + content[chosen.end() :]
            case _:
                return content * 3 + data
        raise AssertionError(kind)

    return spoil


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path / "runs"))


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(FILES), spoiled(), min_size=1, max_size=3))
def test_whatever_a_job_leaves_every_verb_ends_and_no_cell_is_hidden(spoils: dict[str, Any]) -> None:
    root = Path(tempfile.mkdtemp(prefix="reports-verbs-"))
    try:
        one = valid(root / "cells")
        other = cell(root / "cells", PASSED, name="other", run="1")
        for name, spoil in spoils.items():
            (one / name).write_bytes(spoil((one / name).read_bytes()))
        shutil.move(root / "cells/history.jsonl", root / "history.jsonl")  # one in the folder says that these are pages
        arguments = ["--plan", str(root / "cells/plan.json"), "--history", str(root / "history.jsonl")]

        codes = run_verbs(root / "cells", root / "out", *arguments)
        flaky = main(["judge", str(root / "cells"), "--flakes", str(root / "cells/flakes.toml")])

        assert codes.keys() == {"collect", *VERBS}
        assert {codes[verb] for verb in ("collect", "build", "summary", "junit", "allure")} == {0}
        assert codes["judge"] in {0, 1, 3}
        assert flaky in {0, 1, 2, 3}
        check_outputs(root / "out")
        assert StepOutcome.PASS in {each.outcome for each in read_report(ReportInputs([other])).cells}
        assert "other" in (root / "out/site/index.html").read_text()
    finally:
        shutil.rmtree(root)


def spoil_with_folder(path: Path) -> None:
    path.mkdir()


def spoil_with_loop(path: Path) -> None:
    path.symlink_to(path.name)


def spoil_with_pipe(path: Path) -> None:
    os.mkfifo(path)


def spoil_with_nothing(path: Path) -> None:
    path.touch()


def spoil_with_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("spoil", [spoil_with_folder, spoil_with_loop, spoil_with_pipe, spoil_with_nothing, spoil_with_device])
def test_what_is_no_file_where_one_is_expected_ends_no_verb(tmp_path: Path, spoil: Any) -> None:
    for number, name in enumerate(FILES[:-3]):
        one = valid(tmp_path / f"cells{number}")
        (one / name).unlink()
        spoil(one / name)
        (tmp_path / f"cells{number}/history.jsonl").unlink()

        codes = run_verbs(tmp_path / f"cells{number}", tmp_path / f"out{number}")

        assert {codes[verb] for verb in ("collect", "build", "summary", "junit", "allure")} == {0}, name
        check_outputs(tmp_path / f"out{number}")


def numbers_in(value: Any) -> Iterator[float]:
    match value:
        case float():
            yield value
        case list():
            for item in value:
                yield from numbers_in(item)
        case dict():
            for item in value.values():
                yield from numbers_in(item)


def test_numbers_that_are_not_finite_reach_no_output(tmp_path: Path) -> None:
    journal = [{"at": 1.0, "event": "begin", "step": "a"}, {"at": 2.0, "event": "end", "step": "a", "seconds": math.nan, "outcome": "pass"}]
    one = cell(tmp_path / "cells", PASSED.replace("1.5", "inf"), journal=journal, started=math.nan, ended=math.inf)
    (one / "perf").mkdir()
    (one / "perf/a.json").write_text(
        '{"schema": 1, "figures": [{"name": "x", "median": Infinity}, {"name": "y", "samples": [NaN, 2, 1e999]}]}'
    )

    run_verbs(tmp_path / "cells", tmp_path / "out")

    check_outputs(tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out/site/history.jsonl").read_text().splitlines()]
    assert rows
    assert all(math.isfinite(number) for row in rows for number in numbers_in(row))


def test_the_junit_file_is_xml_whatever_an_error_says(tmp_path: Path) -> None:
    odd = "\x1b[31mred\x1b[0m \x00\x0b\ud800 <&]]> \ufffe é"
    cell(tmp_path, journal=steps((f"a{odd}", 1.0, 2.0, []), error=f"no {odd}"), name="c", outcome="fail", exit_code=4, reason=odd)
    cell(tmp_path, name="d", outcome="unknown", reason=odd, missing={odd: odd}, left_out={odd: odd}, suite=odd)

    assert main(["junit", str(tmp_path), "--out", str(tmp_path / "all.xml")]) == 0

    cases = {suite.name: [case.name for case in suite] for suite in JUnitXml.fromfile(str(tmp_path / "all.xml"))}
    assert len(cases["c"]) == 1
    assert cases["c"][0].startswith("ared ")
    assert "\x1b" not in (tmp_path / "all.xml").read_text()


@pytest.mark.parametrize("verb", ["collect", *VERBS])
def test_left_out_files_are_reported(tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    one = cell(tmp_path / "cells", PASSED, left_out={"logs/core": "not text"})
    (tmp_path / "core").write_bytes(b"\x7fELF\x00")
    target = ["--out", str(tmp_path / "out")] if verb in OUT or verb == "collect" else []

    main([verb, *([str(one)] if verb != "collect" else ["--log", str(tmp_path / "core")]), *target])

    printed = capsys.readouterr()
    assert "logs/core: not text" in printed.err
    if verb == "summary":
        assert "logs/core: not text" in printed.out
    if verb == "build":
        assert all(
            "logs/core: not text" in path.read_text() for path in [tmp_path / "out/index.html", *(tmp_path / "out/cells").glob("*.html")]
        )
