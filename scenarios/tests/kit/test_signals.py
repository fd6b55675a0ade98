"""SIGTERM and SIGHUP end a session in order, as Ctrl-C does, with the exit code of the signal."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from lab.wait import NotYet, until
from scenarios.tests.kit.session_fakes import command, environment, runs

pytestmark = pytest.mark.spawns


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_session_takes_its_lab_down(project: Path, number: signal.Signals, code: int) -> None:
    (project / "test_a.py").write_text(
        "import pathlib, threading\n"
        "def test_lab(lab):\n"
        f"    pathlib.Path({str(project)!r}, 'runs-it').touch()\n"
        "    threading.Event().wait(60)\n"
    )
    with subprocess.Popen(command(), cwd=project, env=environment(project), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as session:

        def begun() -> None:
            if not (project / "runs-it").exists() and session.poll() is None:
                raise NotYet("not yet")

        until(begun, what="the test runs", within=60)
        session.send_signal(number)
        output, _ = session.communicate(timeout=60)

    assert session.returncode == code, output.decode()
    assert runs(project) == []
    assert list((project / "_artifacts").glob("*/*-interrupted/index.json")), "evidence was collected"
