"""The plugins of the root conftest in real pytest sessions, on labs without clusters: sharing, keeping, skipping, reports, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.take_down import take_down
from lab.wait import NotYet, until

pytestmark = pytest.mark.spawns
ROOT = Path(__file__).parents[3]
CONFTEST = f"""
import os, runpy, sys
sys.path.insert(0, {str(ROOT)!r})
import scenarios.kit.session as session
from pathlib import Path
from deployers.bring_up import Brought
from lab.cluster import Lab
from lab.errors import ProvisionError, LeakError
from lab.run import Run
from lab.supervisor.client import Supervisor


def bring_up(wanted, run_id, *, label, **_):
    with Path({{tmp!r}}, "ups").open("a") as file:
        file.write("up\\n")
    if "fails" in os.environ.get("FAKE", ""):
        raise ProvisionError("member1/etcd exited with 1", remedy="read its log")
    run = Run.create(run_id, wanted.asked)
    run.journal("end", step="member1", seconds=1.5, outcome="pass")
    return Brought(Lab.open(run), None, 1.5, True, Supervisor(run.path).hold(label))


session.bring_up = bring_up
if "leaks" in os.environ.get("FAKE", ""):
    taken = session.take_down

    def take_down(run):
        taken(run)
        raise LeakError("not all of it is gone", detail="process 17")

    session.take_down = take_down
pytest_plugins = runpy.run_path(str(Path({str(ROOT)!r}, "conftest.py")))["pytest_plugins"]
"""


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """What these tests start hears SIGINT, even when we are a background job of a shell, which is started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with the root conftest and whatever test files a test writes into it."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers -p no:cacheprovider -p xdist.plugin\nmarkers =\n  spawns: .\n"
    )
    (tmp_path / "conftest.py").write_text(CONFTEST.replace("{tmp!r}", repr(str(tmp_path))))
    return tmp_path


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", *args]


def environment(project: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("KARMADA_LAB", "PYTEST_", "FAKE", "CI", "BUILD_NUMBER"))}
    return {**kept, "KARMADA_LAB_RUNS": str(project / "runs"), "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **more}


def run(project: Path, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), cwd=project, env=environment(project, **more), capture_output=True, text=True, timeout=120, check=False
    )


def runs(project: Path) -> list[str]:
    return sorted(path.parent.name for path in (project / "runs").glob("*/run.json"))


def ups(project: Path) -> int:
    return len((project / "ups").read_text().splitlines()) if (project / "ups").exists() else 0


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


def test_a_leak_fails_the_session(project: Path) -> None:
    (project / "test_a.py").write_text("def test_lab(lab): pass\n")

    done = run(project, FAKE="leaks")

    assert done.returncode == 7, done.stdout + done.stderr
    assert "process 17" in done.stdout


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
        told, _ = session.communicate(timeout=60)

    assert session.returncode == code, told.decode()
    assert runs(project) == []
    assert list((project / "_artifacts").glob("*/*-interrupted/index.json")), "evidence was collected"


def test_a_session_that_is_killed_leaves_its_lab_to_the_lease(project: Path) -> None:
    (project / "test_a.py").write_text(f"import os, signal\ndef test_lab(lab): os.kill(os.getpid(), signal.{signal.SIGKILL.name})\n")

    assert run(project).returncode == -signal.SIGKILL
    (left,) = runs(project)

    def ended() -> None:
        if Supervisor(project / "runs" / left).alive():
            raise NotYet("the supervisor lives")

    until(ended, what="the lease ends the lab", within=30)
    take_down(Run.load(left, root=project / "runs"))


def test_a_failed_test_gets_evidence(project: Path) -> None:
    (project / "test_a.py").write_text("def test_lab(lab): assert False\n")

    done = run(project, "-p", "allure_pytest.plugin", "--alluredir", "allure-results")

    assert done.returncode == 1
    (index,) = (project / "_artifacts").glob("*/*-test_lab/index.json")
    assert str(index.parent) in done.stdout
    results = [json.loads(path.read_text()) for path in (project / "allure-results").glob("*-result.json")]
    assert [attached["name"] for result in results for attached in result["attachments"]] == ["evidence"]


def test_unit_tests_may_not_start_processes(project: Path) -> None:
    (project / "tests").mkdir()
    (project / "tests" / "test_a.py").write_text(
        "import os, pytest, subprocess\n"
        "def test_popen(): subprocess.run(['true'])\n"
        "def test_fork(): os.fork()\n"
        "@pytest.mark.spawns\n"
        "def test_marked(): subprocess.run(['true'], check=True)\n"
    )

    done = run(project)

    assert done.returncode == 1
    assert "2 failed, 1 passed" in done.stdout
    assert ups(project) == 0
