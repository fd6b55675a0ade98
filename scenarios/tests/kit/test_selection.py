"""Which of the collected tests run here, and what unit tests must not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.tests.kit.session_fakes import run, ups

pytestmark = pytest.mark.spawns


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
