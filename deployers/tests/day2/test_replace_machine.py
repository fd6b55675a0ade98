"""A machine of Karmada is replaced: only one that Karmada runs on, and a member of etcd without data begins as a new one."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.day2.replace_machine import has_data, replace_machine
from deployers.karmada import Karmada
from deployers.tests.control_plane_fakes import a_karmada
from lab.errors import CommandFailed, UsageError
from lab.machines.placement import Placement
from lab.machines.scripted import Scripted, ScriptedFailure


@pytest.fixture
def karmada(tmp_path: Path) -> Karmada:
    return a_karmada(tmp_path, {"by_binary": {"machines": ["machine1", "machine2"]}})


@pytest.mark.parametrize(("machines", "remedy"), [(["machine1", "machine2"], "machine2"), ([], "this computer")])
def test_a_machine_that_karmada_does_not_run_on_is_refused(tmp_path: Path, machines: list[str], remedy: str) -> None:
    karmada = a_karmada(tmp_path, {"by_binary": {"machines": machines}})

    with pytest.raises(UsageError, match=remedy):
        replace_machine(karmada, "machin2")
    assert list(karmada.run.events()) == []


@pytest.mark.parametrize(("answer", "there"), [("", True), (ScriptedFailure(1), False)])
def test_data_are_looked_for_on_the_machine(karmada: Karmada, answer: str | ScriptedFailure, *, there: bool) -> None:
    machine = Scripted({("test", "-d"): answer})
    place = Placement(karmada.run, "machine2", machine, Path("/there/runs/a"), Path("/there/cache"), "10.0.0.2")

    assert has_data(place, karmada, "etcd-2") is there
    assert machine.done[0].args == ("test", "-d", "/there/runs/a/data/karmada/etcd-2/member")


def test_a_machine_that_does_not_answer_is_an_error(karmada: Karmada) -> None:
    silent = Scripted({("test", "-d"): ScriptedFailure(None, "no route to host")})
    place = Placement(karmada.run, "machine2", silent, Path("/there/runs/a"), Path("/there/cache"), "10.0.0.2")

    with pytest.raises(CommandFailed):
        has_data(place, karmada, "etcd-2")
