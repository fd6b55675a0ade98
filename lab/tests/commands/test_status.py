"""`lab status`: what runs, what should run, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.component import Component, record_health
from lab.errors import ProvisionError
from lab.status import lab_status
from lab.tests.cli_fakes import World, invoke, state, status, world

__all__ = ["world"]


def test_status_of_a_lab_that_serves(world: World) -> None:
    world.run()
    world.status = status(state("host/etcd"), state("karmada/karmada-webhook"))
    done = invoke("status")

    assert done.code == 0
    for expected in ("lab default  up", "host/etcd", "4000000", "member2", "Ready", "held by lab up, pytest gw0 ×2"):
        assert expected in done.out


def test_status_as_json(world: World) -> None:
    world.run()
    world.status = status(state("host/etcd"))
    seen = json.loads(invoke("status", "-o", "json").out)

    assert (seen["schema"], seen["lab"], seen["state"], seen["kept"]) == (1, "default", "up", True)
    component = seen["components"][0]
    assert (component["cluster"], component["name"], component["state"], component["restarts"]) == ("host", "etcd", "running", 2)
    assert seen["members"][0] == {"name": "member1", "mode": "push", "ready": True, "version": "v1.35.4", "why": ""}
    assert seen["holders"][0] == {"label": "lab up", "pid": 7}


@pytest.mark.parametrize("bad", [state("member1/etcd", "exited"), state("member1/etcd", "waiting"), state("member1/etcd", settled=False)])
def test_a_program_that_does_not_serve_makes_status_fail(world: World, bad: Any) -> None:
    world.run()
    world.status = status(state("host/etcd"), bad)
    done = invoke("status")

    assert done.code == 1
    assert "degraded: member1/etcd is " in done.out.splitlines()[0]


def test_what_an_examination_finds_makes_status_fail(world: World) -> None:
    world.run()
    world.status = status(state("host/etcd"), state("karmada/karmada-webhook"))
    world.wrong = ["karmada/karmada-webhook does not serve: refused"]
    done = invoke("status", "--lab", "default")

    assert done.code == 1
    assert "karmada/karmada-webhook does not serve" in done.out.splitlines()[0]
    assert "lab restart karmada/karmada-webhook" in done.out


@pytest.mark.parametrize("known", [True, False])
def test_a_program_that_the_lab_is_expected_to_run_is_missed(world: World, known: bool) -> None:
    record_health(Component("karmada/karmada-webhook", Path("/bin/w"), {}), world.run())
    world.status = status(state("host/etcd"), *([state("karmada/karmada-webhook", "stopped")] if known else []))
    done = invoke("status")

    assert done.code == 1
    assert f"karmada/karmada-webhook is {'stopped' if known else 'missing'}" in done.out.splitlines()[0]


@pytest.mark.parametrize(("letter", "seen"), [("T", "paused"), ("t", "paused"), ("Z", "zombie"), ("S", "")])
def test_a_process_that_is_there_and_does_nothing_does_not_run(letter: str, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _: f"7 (a (b) c) {letter} 1 7 7")

    assert lab_status.kernel_state(7) == seen
    part = lab_status.program_status(state("member1/kwok", pid=7), 2000.0)
    assert (part.state, part.ok) == (seen or "running", not seen)


def test_a_paused_program_says_how_to_go_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_status, "kernel_state", lambda pid: "paused" if pid == 4_000_000 else "")
    world.run("blue")
    world.status = status(state("host/etcd", pid=3_999_999), state("member1/kwok"))
    done = invoke("status", "--lab", "blue")

    assert done.code == 1
    assert "member1/kwok is paused" in done.out.splitlines()[0]
    assert "kill -CONT 4000000" in done.out


def test_a_supervisor_that_does_not_answer_is_not_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Paused:
        def __init__(self, path: Path) -> None: ...

        def status(self) -> None:
            raise ProvisionError("the supervisor of lab default is paused (pid 7)", remedy="kill -CONT 7")

    world.run()
    monkeypatch.setattr(lab_status, "Supervisor", Paused)
    done = invoke("status")

    assert done.code == 1
    assert "kill -CONT 7" in done.err


def test_a_program_that_was_stopped_on_purpose_does_not(world: World) -> None:
    world.run()
    world.status = status(state("host/etcd"), state("member3/karmada-agent", "stopped"))

    assert invoke("status").code == 0


def test_status_of_a_kept_lab_says_how_to_go_on(world: World) -> None:
    run = world.run()
    processes = run.folder("processes")
    row = {key: getattr(state("host/etcd"), key) for key in state("host/etcd").__dataclass_fields__}
    (processes / "host+etcd.json").write_text(json.dumps({**row, "state": "stopped", "log": "/l"}))
    done = invoke("status")

    assert done.code == 1
    assert "its state is kept" in done.out
    assert "lab up starts them again" in done.out


def test_status_of_no_lab_is_usage_and_names_those_there_are(world: World) -> None:
    world.run("blue")
    done = invoke("status")

    assert done.code == 2
    assert "blue" in done.err
    assert done.out == ""


def test_a_lab_that_does_not_run_is_not_asked_to_keep_its_promises(world: World) -> None:
    world.run()
    done = invoke("conformance")

    assert done.code == 2
    assert "is not running" in done.err
    assert "lab up" in done.err
    assert not (world.root / "conformance.jsonl").exists()
