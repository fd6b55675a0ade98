"""Labs that are only described: what a command line's tests stand on. No process is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import deployers.up.bring_up
import lab.take_down
from deployers.commands import up
from lab.run import Run
from lab.status import lab_status
from lab.steps import Step
from lab.supervisor.state import ProgramState, SupervisorStatus
from lab.verbs import app

ASKED: dict[str, Any] = {
    "lab": {
        "provider": "embedded",
        "kubernetes": "1.35.4",
        "members": [{"name": "member1", "mode": "push"}, {"name": "member2", "mode": "pull"}],
    },
    "karmada": {"release": "1.18.2"},
}


@dataclass
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


def invoke(*args: str, **env: str) -> Result:
    """Run the command line in this process."""
    done = CliRunner().invoke(app, list(args), env=env)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Result(done.exit_code, done.stdout, done.stderr)


def state(
    name: str,
    state: str = "running",
    *,
    settled: bool = True,
    pid: int | None = 4_000_000,
    needs: tuple[str, ...] = (),
    ports: tuple[int, ...] = (2379,),
) -> ProgramState:
    """Return a program as a supervisor tells of it; its pid is none that exists."""
    return ProgramState(
        name=name,
        state=state,
        pid=pid if state == "running" else None,
        argv=("/bin/x",),
        log=Path("/logs") / f"{name}.log",
        status=None if state == "running" else 1,
        settled=settled,
        restarts=2,
        started_at=1000.0,
        ended_at=None,
        delay=0.0,
        needs=needs,
        ports=ports,
        log_offset=0,
    )


def status(*states: ProgramState, detached: bool = True) -> SupervisorStatus:
    return SupervisorStatus(
        4_000_001, 10.0, detached, False, (("lab up", 7), ("pytest gw0", 8), ("pytest gw0", 9)), {each.name: each for each in states}
    )


@dataclass
class World:
    """What `lab` finds: run directories under `root`, and what a supervisor and Karmada say of them, and what is `wrong`."""

    root: Path
    status: SupervisorStatus | None = None
    members: list[lab_status.MemberStatus] | str = field(default_factory=lambda: [ready("member1"), ready("member2")])
    wrong: list[str] = field(default_factory=list)
    error: BaseException | None = None
    brought: list[dict[str, Any]] = field(default_factory=list)
    taken: list[bool] = field(default_factory=list)
    during: Callable[[Any], None] = lambda watcher: None

    def run(self, name: str = "default") -> Run:
        """Make a run directory as `lab up` leaves it."""
        run = Run.create(name, ASKED, root=self.root)
        run.folder("kubeconfig")
        for cluster in ("host", "karmada", "member1"):
            run.kubeconfig(cluster).write_text(f"of {cluster}\n")
        (run.path / "kubeconfig.yaml").write_text("clusters: [{name: host, cluster: {server: 'https://172.18.0.2:6443'}}]\n")
        return run


def ready(name: str, mode: str = "push") -> lab_status.MemberStatus:
    return lab_status.MemberStatus(name, mode, True, "v1.35.4")


class Held:
    def release(self, *, keep: bool = False) -> bool:
        assert keep
        return False


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world without processes. `error` is what bring_up ends with."""
    for name in ("CI", "GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR", "KARMADA_LAB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path / "runs"))
    world = World(tmp_path / "runs")

    class Supervisor:
        def __init__(self, path: Path) -> None:
            self.path = path

        def status(self) -> SupervisorStatus | None:
            return world.status

    def bring_up(wanted: Any, run_id: str, **how: Any) -> Any:
        world.brought.append({"run_id": run_id, "wanted": wanted, **how})
        world.during(how["watcher"])
        if world.error is not None:
            raise world.error
        run = Run.load(run_id, root=world.root) if (world.root / run_id).exists() else world.run(run_id)
        world.status = status(state("host/kube-apiserver"), state("karmada/karmada-apiserver"))
        lab = type("Lab", (), {"run": run})()
        return deployers.up.bring_up.Brought(lab, None, 1.0, True, Held())  # type: ignore[arg-type]

    def take_down(run: Run, *, keep: bool = False, **_: Any) -> Any:
        world.taken.append(keep)
        return lab.take_down.TakeDownResult(7, keep)

    monkeypatch.setattr(lab_status, "Supervisor", Supervisor)
    monkeypatch.setattr("lab.commands.list.Supervisor", Supervisor)
    monkeypatch.setattr(up, "Supervisor", Supervisor)
    monkeypatch.setattr(lab_status, "ask_members", lambda run, within: world.members)
    monkeypatch.setattr(lab_status, "examine_running", lambda run, running, within: world.wrong)
    monkeypatch.setattr(up, "clients", lambda run: run.path / "bin")
    monkeypatch.setattr(up, "bring_up", bring_up)
    monkeypatch.setattr(deployers.up.bring_up, "steps", lambda wanted, run, software, supply: [step("a"), step("b", "a")])
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: [])  # not what this computer has free just now
    monkeypatch.setattr(lab.take_down, "take_down", take_down)
    return world


def step(name: str, *needs: str) -> Step:
    return Step(name, lambda: None, needs)
