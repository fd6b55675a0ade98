"""Results of 100 MiB are read within 512 MiB of memory, by the whole process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.tests.results import cell

SIZE = 100 << 20
MEMORY = 512 << 10
"""KiB."""

RUN = """
import resource, sys
from reports.__main__ import main
code = main(sys.argv[1:])
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
LINES = "E   assert 1 == 2 \u2013 and what it printed\n" * 4096


def one_text() -> Iterator[str]:
    yield '<testcase classname="s" name="long" time="1"><failure message="no">'
    while True:
        yield LINES


def one_message() -> Iterator[str]:
    yield '<testcase classname="s" name="long" time="1"><failure message="'
    while True:
        yield LINES


ENDS = {one_text: "</failure></testcase>", one_message: '">x</failure></testcase>'}


@pytest.mark.spawns
@pytest.mark.parametrize(("verb", "content"), [("collect", one_text), ("build", one_message)])
def test_results_of_100_mib_take_less_than_512_mib_of_memory(tmp_path: Path, content: object, verb: str) -> None:
    path = cell(tmp_path, outcome="fail", exit_code=1) / "junit.xml"
    with path.open("w") as file:
        file.write('<testsuites><testsuite name="s"><testcase classname="s" name="before"/>')
        for text in content():  # type: ignore[operator]
            file.write(text)
            if file.tell() > SIZE:
                break
        file.write(f'{ENDS[content]}<testcase classname="s" name="after"/></testsuite></testsuites>')  # type: ignore[index]
    arguments = ["--junit", str(path), "--exit-code", "1"] if verb == "collect" else [str(path.parent)]

    done = subprocess.run(
        [sys.executable, "-c", RUN, verb, *arguments, "--out", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )

    code, memory = map(int, done.stdout.split())
    assert (code, path.stat().st_size > SIZE) == (0, True), done.stderr
    assert memory < MEMORY
    page = "\n".join(each.read_text() for each in (tmp_path / "out").rglob("*") if each.suffix in {".html", ".xml"})
    assert all(name in page for name in ("before", "long", "after"))
    assert "characters" in done.stderr
