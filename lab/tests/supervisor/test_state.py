"""States of programs, and why one ended."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from lab.supervisor import state as states
from lab.supervisor.process import Process
from lab.supervisor.server import check_program
from lab.supervisor.state import ProgramState, make_exit_error
from lab.tests.cli_fakes import state
from lab.tests.oom_fakes import of_v2

PROGRAM = {"name": "member1/etcd", "argv": ["etcd"], "log": "/logs/etcd.log"}


def test_a_row_reads_back_as_a_state() -> None:
    row = json.loads(json.dumps(Process("/run", check_program(PROGRAM, "/run")).row()))
    state = ProgramState.parse(row)

    assert (state.name, state.argv, state.state, state.pid) == ("member1/etcd", ("etcd",), "starting", None)


def test_a_program_that_ended_for_lack_of_inotify_names_the_limit(tmp_path: Path) -> None:
    log = tmp_path / "webhook.log"
    log.write_text('E1123 run.go:72] "command failed" err="too many open files"\n')
    error = make_exit_error(replace(state("karmada/karmada-webhook", "exited"), log=log, log_offset=0, ports=()))

    assert "fs.inotify.max_user_instances" in (error.remedy or "")


def test_a_program_that_ended_by_signal_9_names_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = replace(state("karmada/etcd", "exited"), status=-signal.SIGKILL, log=tmp_path / "none", ports=())
    monkeypatch.setattr(states, "Files", lambda: of_v2(1))
    assert "memory" in (states.make_exit_error(killed).remedy or "")

    monkeypatch.setattr(states, "Files", lambda: of_v2(0))
    assert states.make_exit_error(killed).remedy is None
