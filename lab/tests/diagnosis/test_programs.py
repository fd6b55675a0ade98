"""Programs that do not run are causes; those that start or are not expected are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.diagnosis import programs as module
from lab.diagnosis.cause import Rank
from lab.diagnosis.programs import explain_program, find_machine_causes, find_program_causes, list_dead_programs
from lab.run import Run
from lab.supervisor.state import ProgramState, SupervisorStatus


def make_state(
    name: str = "karmada/etcd",
    *,
    state: str = "running",
    status: int | None = None,
    restarts: int = 0,
    log: Path = Path("/none"),
    needs: tuple[str, ...] = (),
) -> ProgramState:
    pid = os.getpid() if state == "running" else None
    return ProgramState(name, state, pid, ("etcd",), log, status, True, restarts, 1.0, None, 0.0, needs, (), 0)


def make_status(*states: ProgramState) -> SupervisorStatus:
    return SupervisorStatus(1, 10.0, False, False, (), {state.name: state for state in states})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run.create("lab1", {"lab": {}}, root=tmp_path)
    for name in ("karmada/etcd", "karmada/karmada-apiserver"):
        run.record("health", name.replace("/", "+"), {"name": name, "ready": [], "machine": ""})
    return run


@pytest.mark.parametrize(
    ("state", "status", "sign"),
    [
        ("exited", 2, "exited with 2"),
        ("waiting", -9, "SIGKILL"),
        ("waiting", -11, "SIGSEGV"),
        ("stopped", None, "is stopped"),
        ("lost", None, "supervisor"),
    ],
)
def test_a_program_that_does_not_run_is_a_cause(state: str, status: int | None, sign: str) -> None:
    cause = explain_program(make_state(state=state, status=status), expected=True)

    assert cause is not None
    assert cause.subject == "karmada/etcd"
    assert cause.blocking
    assert sign in cause.text


@pytest.mark.parametrize(("state", "expected"), [("running", True), ("starting", True), ("stopped", False)])
def test_a_program_that_runs_or_is_not_expected_is_none(state: str, expected: bool) -> None:
    assert explain_program(make_state(state=state), expected=expected) is None


def test_the_log_gives_the_reason(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("Error: unknown flag: --x\n")

    cause = explain_program(make_state(state="waiting", status=1, restarts=3, log=log), expected=True)

    assert cause is not None
    assert "4 times" in cause.text
    assert cause.text.endswith("unknown flag: --x")


def test_what_others_need_comes_first(run: Run) -> None:
    api = make_state("karmada/karmada-apiserver", state="stopped", needs=("karmada/etcd",))

    causes = list(find_program_causes(run, make_status(api, make_state(state="stopped"))))

    assert [cause.subject for cause in causes] == ["karmada/etcd", "karmada/karmada-apiserver"]


def test_an_expected_program_that_the_supervisor_does_not_know_is_a_cause(run: Run) -> None:
    assert [cause.subject for cause in find_program_causes(run, make_status(make_state()))] == ["karmada/karmada-apiserver"]


def test_a_program_on_a_machine_is_not_missed_here(run: Run) -> None:
    run.record("health", "karmada+karmada-apiserver", {"name": "karmada/karmada-apiserver", "ready": [], "machine": "m1"})

    assert list(find_program_causes(run, make_status(make_state()))) == []


def test_without_a_supervisor_nothing_runs(run: Run) -> None:
    (cause,) = find_program_causes(run, None)

    assert cause.rank is Rank.PROGRAM


@pytest.mark.parametrize(("restarts", "dead"), [(1, False), (2, True)])
def test_a_program_that_crashes_again_and_again_is_dead(restarts: int, dead: bool) -> None:
    state = make_state(state="waiting", status=1, restarts=restarts)

    assert bool(list_dead_programs({state.name: state}, set())) is dead


def test_a_program_that_does_not_run_on_its_machine_is_a_cause(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = make_state(state="stopped")
    monkeypatch.setattr(module, "ask_machines", lambda _: {"machine1": {stopped.name: stopped}, "machine2": "no route to host"})

    stays, silent = find_machine_causes(run)

    assert (stays.subject, silent.subject) == ("karmada/etcd", "machine")
    assert stays.text.endswith("machine1")
    assert "no route to host" in silent.text


def test_a_process_of_a_machine_is_not_looked_for_here(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ask_machines", lambda _: {"machine1": {"karmada/etcd": make_state()}})
    monkeypatch.setattr(module, "kernel_state", lambda _: "paused")

    assert list(find_machine_causes(run)) == []
