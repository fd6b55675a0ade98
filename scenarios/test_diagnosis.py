"""A lab with a fault says what is wrong, and a wait for it ends early with the cause."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from deployers.karmada import Karmada
from lab.diagnosis.examiner import LabExaminer
from lab.environment import inherit_all
from lab.errors import WaitBlocked
from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.wait import NotYet, examine_stalls, until
from scenarios.kit.waiting import eventually


def run_diagnose(run: Run) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code of `lab diagnose` and the causes that it prints."""
    command = [sys.executable, "-m", "lab", "diagnose", "--lab", run.id, "--output", "json"]
    env = {**inherit_all(), "KARMADA_LAB_RUNS": str(run.path.parent)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)["causes"]


@contextmanager
def pause_program(run: Run, name: str) -> Iterator[None]:
    """Pause a program of the lab during the body."""
    supervisor = Supervisor(run.path)
    supervisor.signal(name, signal.SIGSTOP)
    try:
        yield
    finally:
        supervisor.signal(name, signal.SIGCONT)


def fail_always() -> None:
    raise NotYet("not scheduled yet")


@pytest.mark.breaks
def test_a_paused_program_is_the_first_cause(karmada: Karmada) -> None:
    with pause_program(karmada.run, "karmada/karmada-scheduler"):
        code, causes = run_diagnose(karmada.run)
        with examine_stalls(LabExaminer(karmada.run)), pytest.raises(WaitBlocked) as blocked:
            until(fail_always, what="the Deployment is scheduled", within=60.0)

    assert code == 1
    assert causes[0]["rank"] == "program"
    assert causes[0]["text"].startswith("karmada/karmada-scheduler ")
    assert blocked.value.cause.startswith("karmada/karmada-scheduler ")

    def check_healthy() -> None:
        """nothing is wrong with the lab any more"""
        assert run_diagnose(karmada.run) == (0, [])

    eventually(check_healthy, within=60.0, every=2.0)
