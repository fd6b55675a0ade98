"""`lab gc`: what labs that have ended left behind."""

from __future__ import annotations

import json

import pytest

from lab.tests.cli_fakes import World, invoke, world

__all__ = ["world"]


@pytest.mark.parametrize("silent", ["", "docker: no engine answers"])
def test_gc_of_a_clean_computer(world: World, monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    monkeypatch.setattr("lab.computer.Computer.which", lambda _, program: f"/usr/bin/{program}")
    monkeypatch.setattr("lab.docker.find_docker_error", lambda _: silent)
    monkeypatch.setattr("lab.commands.gc.sweep", lambda root, dry_run: [])
    done = invoke("gc", "-o", "json")

    assert done.code == 0
    assert (f"containers were not checked: {silent}" in done.err) is bool(silent)
    assert json.loads(done.out) == {
        "schema": 1,
        "dry_run": False,
        "removed": [],
        "unseen": {"containers": silent} if silent else {},
    }


def test_gc_of_one_lab_and_of_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run("dead")
    world.run("alive")
    removed: list[str] = []
    monkeypatch.setattr("lab.computer.Computer.which", lambda *_: None)
    monkeypatch.setattr("lab.commands.gc.sweep", lambda root, dry_run: [])
    monkeypatch.setattr("lab.commands.gc.is_alive", lambda run: run.name == "alive")
    monkeypatch.setattr("lab.commands.gc.remove_run", lambda run, dry_run: removed.append(run.name) or [])  # type: ignore[func-returns-value]
    invoke("gc", "--lab", "dead")
    invoke("gc", "--all")

    assert removed == ["dead", "dead"]
