from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from deployers.operator import perform as module
from deployers.operator.perform import ACTIONS, Outcomes, Task, for_each_member, leave_out, perform
from deployers.operator.plan import Operation
from deployers.wanted import prepare
from lab.errors import NotPossible, ProvisionError
from lab.preflight import Problem
from lab.steps import StepObserver

DOCUMENT = {
    "provider": "existing",
    "members": [{"name": name, "kubeconfig": f"/secrets/{name}"} for name in ("a", "b", "c")],
    "karmada": {},
}


def test_a_task_is_read_as_it_was_written() -> None:
    operation = Operation("Join", "why", {"lab": {}}, members=("a",))

    assert Task.parse({"lab": "x", "operation": asdict(operation), "most": 3, "force": ["b"]}) == Task("x", operation, 3, ("b",))


def test_each_member_has_an_outcome_of_its_own() -> None:
    def act(name: str) -> None:
        if name == "b":
            raise ProvisionError("no route", detail="10.0.0.1\nmore")

    outcomes = Outcomes()
    for_each_member(Task("x", Operation("Join", "", members=("a", "b", "c"))), outcomes, act)

    assert outcomes.found == {"a": {}, "b": {"reason": "ProvisionError", "message": "no route; 10.0.0.1"}, "c": {}}


def test_an_installation_leaves_out_members_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "examine_clusters", lambda *args, **options: [Problem("members[1].kubeconfig", "no answer")])
    outcomes = Outcomes()
    kept = leave_out(prepare(DOCUMENT), outcomes, lab="x", chosen=("a", "b"))

    assert [member.name for member in kept.lab.members] == ["a"]
    assert kept.karmada is not None
    assert [member.name for member in kept.karmada.members] == ["a"]
    assert outcomes.found == {"b": {"reason": "NotPossible", "message": "no answer"}}


def test_removing_what_does_not_exist_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))

    assert perform(Task("x", Operation("Remove", "")), StepObserver()) == {"members": {}}


def test_a_member_that_stays_stops_the_removal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = type("R", (), {"path": tmp_path, "events": lambda self: [{"event": "up"}]})()
    member = type("M", (), {"name": "a"})()
    monkeypatch.setattr(module, "open_run", lambda lab: run)
    monkeypatch.setattr("lab.cluster.Lab.open", lambda run: type("L", (), {"members": (member,)})())
    monkeypatch.setattr("lab.supervisor.client.Supervisor.alive", lambda self: True)
    monkeypatch.setitem(module.__dict__, "unjoin", lambda task, outcomes, watcher: outcomes.note("a", NotPossible("no answer")))

    with pytest.raises(NotPossible, match="answer"):
        perform(Task("x", Operation("Remove", "")), StepObserver())


def test_every_kind_of_operation_has_an_action() -> None:
    assert set(ACTIONS) >= {"Install", "Start", "Join", "Unjoin", "Change", "Upgrade", "Renew", "Remove"}
