"""The plugins of the root conftest in real pytest sessions, on labs without clusters: sharing, keeping, skipping, reports, exit codes."""

from __future__ import annotations

import signal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.take_down import take_down
from lab.wait import NotYet, until
from scenarios.tests.kit.session_fakes import run, runs, ups

pytestmark = pytest.mark.spawns


def test_all_processes_share_one_lab_which_is_gone_at_the_end(project: Path) -> None:
    (project / "test_a.py").write_text(
        "import pytest, subprocess\n"
        "@pytest.mark.parametrize('n', range(6))\n"
        "def test_lab(lab, n): assert lab.run.path.exists()\n"
        "@pytest.mark.needs('PODS')\n"
        "def test_pods(lab): assert False\n"
        "@pytest.mark.thorough\n"
        "def test_long(lab): assert False\n"
    )

    done = run(project, "-n", "3", "--junitxml", "junit.xml")

    assert done.returncode == 0, done.stdout + done.stderr
    assert ups(project) == 1
    assert runs(project) == []
    assert "not run here: 1 test: needs PODS, which the provider embedded does not offer" in done.stdout
    cases = {case.get("name"): case for case in ET.parse(project / "junit.xml").getroot().iter("testcase")}
    assert cases["member1"].get("time") == "1.500"
    assert "test_lab[5]" in cases
    assert "test_long" not in cases
    kept = [path.name for path in (project / "_artifacts").glob("*/*")]
    assert sorted(kept) == ["journal.jsonl", "run.json"], "what reports read of a lab that is gone"


def test_a_failed_bring_up_is_printed_once_and_fails_all_tests(project: Path) -> None:
    (project / "test_a.py").write_text("import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_lab(lab, n): pass\n")

    done = run(project, "-n", "2", FAKE="fails")

    assert done.returncode == 4, done.stdout + done.stderr
    assert ups(project) == 1
    assert done.stdout.count("remedy: read its log") == 2  # where it happened, and in the summary
    assert "6 errors" in done.stdout


def test_a_lab_can_be_kept_and_attached_to(project: Path) -> None:
    (project / "test_a.py").write_text("def test_lab(lab): print('lab', lab.run.id)\n")

    assert run(project, "--lab-keep", "test_a.py").returncode == 0
    (kept,) = runs(project)
    try:
        status = Supervisor(project / "runs" / kept).status()
        assert status
        assert status.detached

        attached = run(project, "--lab", kept)

        assert attached.returncode == 0, attached.stdout
        assert ups(project) == 1
        assert runs(project) == [kept]
    finally:
        take_down(Run.load(kept, root=project / "runs"))
    assert run(project, "--lab", kept).returncode == 2  # it is not there any more


def test_a_session_that_is_killed_leaves_its_lab_to_the_lease(project: Path) -> None:
    (project / "test_a.py").write_text(f"import os, signal\ndef test_lab(lab): os.kill(os.getpid(), signal.{signal.SIGKILL.name})\n")

    assert run(project).returncode == -signal.SIGKILL
    (left,) = runs(project)

    def ended() -> None:
        if Supervisor(project / "runs" / left).alive():
            raise NotYet("the supervisor lives")

    until(ended, what="the lease ends the lab", within=30)
    take_down(Run.load(left, root=project / "runs"))
