"""`lab logs`: programs of this computer and of machines."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.commands import logs
from lab.component import Component, record_health
from lab.errors import UsageError
from lab.machines.scripted import Answer, Scripted, ScriptedFailure
from lab.run import Run
from lab.tests.cli_fakes import World, invoke, world

__all__ = ["world"]
LOG = "/var/lib/karmada-lab/runs/default/logs/host/etcd.log"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A lab with etcd on machine a and another program on this computer."""
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))
    made = Run.create("default", {"lab": {}}, root=tmp_path)
    made.log("member1/etcd").parent.mkdir(parents=True)
    made.log("member1/etcd").write_text("here\n")
    record_health(Component("host/etcd", Path("/bin/etcd"), {}, machine="a"), made)
    return made


def answer(monkeypatch: pytest.MonkeyPatch, given: Answer) -> None:
    owner = SimpleNamespace(run=Path(LOG).parents[2])
    monkeypatch.setattr(logs, "open_owner", lambda *_: owner)
    monkeypatch.setattr(logs, "open_machine", lambda *_: Scripted({("tail", "--lines", "20", "--", LOG): given}, name="a"))


def test_logs_of_machines_are_printed_with_those_of_this_computer(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "there\nlast")
    logs.logs(lab=run.id)

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["host/etcd", "there"],
        ["host/etcd", "last"],
        ["member1/etcd", "here"],
    ]


def test_one_program_of_a_machine_is_printed_alone(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answer(monkeypatch, "there\n")
    logs.logs(target="host/etcd", follow=True, lab=run.id)
    printed = capsys.readouterr()

    assert printed.out == "there\n"
    assert "follow" in printed.err


def test_a_machine_that_does_not_answer_is_named_and_the_rest_is_printed(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, ScriptedFailure(None, "no route"))
    logs.logs(lab=run.id)
    printed = capsys.readouterr()

    assert "here" in printed.out
    assert "host/etcd on a" in printed.err


def test_a_program_that_does_not_exist_is_refused_with_those_that_do(run: Run) -> None:
    with pytest.raises(UsageError) as caught:
        logs.logs(target="host/nothing", lab=run.id)

    assert "host/etcd" in str(caught.value.remedy)


@pytest.fixture
def logged(world: World) -> World:
    run = world.run()
    for name in ("member1/etcd", "member1/kube-apiserver", "host/etcd"):
        run.log(name).parent.mkdir(parents=True, exist_ok=True)
        run.log(name).write_text("".join(f"{name} {number}\n" for number in range(30)))
    return world


def test_logs_of_one_program(logged: World) -> None:
    assert invoke("logs", "member1/etcd", "--tail", "2").out == "member1/etcd 28\nmember1/etcd 29\n"


def test_logs_of_a_cluster_name_the_program_of_each_line(logged: World) -> None:
    lines = invoke("logs", "member1", "-n", "1").out.splitlines()

    assert lines == ["member1/etcd           member1/etcd 29", "member1/kube-apiserver member1/kube-apiserver 29"]


def test_logs_of_everything(logged: World) -> None:
    assert len(invoke("logs", "--tail", "0").out.splitlines()) == 90


def test_logs_of_nothing_there_is(logged: World) -> None:
    done = invoke("logs", "member1/etc")

    assert done.code == 2
    assert "member1/etcd" in done.err


def test_following_reads_appended_lines_and_restarts_after_rotation(logged: World, capsys: pytest.CaptureFixture[str]) -> None:
    path = logged.root / "default/logs/host/etcd.log"
    with path.open() as stream:
        stream.seek(0, 2)
        assert not logs.print_appended("", stream)
        with path.open("a") as log:
            log.write("more\n")
        assert logs.print_appended("> ", stream)
        path.write_text("anew\n")
        assert logs.print_appended("", stream)

    assert capsys.readouterr().out == "> more\nanew\n"
