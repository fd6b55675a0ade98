"""A project of tests with a stand-in of bring_up, which makes their labs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONFTEST = f"""
import os, runpy, sys
sys.path.insert(0, {str(ROOT)!r})
import scenarios.kit.session as session
from pathlib import Path
from deployers.up.bring_up import Brought
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
