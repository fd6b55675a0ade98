from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from lab.errors import CommandFailed, NotPossible, ProvisionError
from lab.machines.container import KILL, MARK, NOT_EXECUTED, REFUSED, Container, read_exit_status
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.machines.systemd_owner import READ_STATES, SystemdOwner
from lab.tests.units_fakes import PROGRAM


def test_the_status_of_dockers_client_is_read_as_the_commands() -> None:
    assert [read_exit_status(status, "") for status in (1, 127, 128 + signal.SIGTERM, 255, None)] == [1, 127, -signal.SIGTERM, 255, None]
    assert [read_exit_status(status, f"{REFUSED}: no such file") for status in NOT_EXECUTED] == [None, None]


def test_a_command_out_of_time_is_killed_in_a_machine_and_not_in_a_node() -> None:
    for make_owner, kills in ((lambda machine: SystemdOwner(machine, "try", "/root", lambda: None), 1), (None, 0)):
        engine = Scripted({("docker", "exec"): ScriptedFailure(-signal.SIGKILL, "not within 1 s")})
        with pytest.raises(CommandFailed):
            Container("c", engine, "try", make_owner).run(["sleep", "9"])

        assert sum(KILL in done.args for done in engine.done) == kills


def test_a_file_takes_its_place_once_it_is_complete(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    engine = Scripted({("docker", "exec"): "", ("docker", "cp"): ScriptedFailure(1, "no space left on device")})
    with pytest.raises(ProvisionError):
        Container("c", engine).put(tmp_path / "file", Path("/there/file"))
    with pytest.raises(ProvisionError):
        Container("c", engine).put(tmp_path / "absent", Path("/there/file"))

    assert [done.args[3] for done in engine.done if done.args[1] == "exec"] == ["mkdir", "rm"]


NAME = "karmada-lab.try.member1:etcd.service"
RUNS = f"Id={NAME}\nActiveState=active\nSubState=running\nMainPID=7\nExecMainCode=0\nExecMainStatus=0\nNRestarts=0\nRestart=no\n"


def test_a_container_of_no_lab_starts_no_programs() -> None:
    node = Container("n", Scripted({("docker", "exec", "--interactive", "--env", "A=b", "n", "cat"): "said"}))

    assert node.run(["cat"], input="x", env={"A": "b"}).stdout == "said"
    with pytest.raises(NotPossible):
        node.stop("x")


def test_a_command_that_docker_was_cut_off_from_says_so_and_one_that_only_failed_does_not() -> None:
    asked = ("docker", "version")
    for version, said in ((ScriptedFailure(1, "Cannot connect"), "Docker stopped answering"), ("20.10", "")):
        node = Container("n", Scripted({("docker", "exec"): ScriptedFailure(255, ""), asked: version}))
        with pytest.raises(CommandFailed) as failed:
            node.run(["ctr"])
        assert failed.value.output == said


def test_a_container_of_a_lab_runs_programs_as_units(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = "# " + json.dumps([PROGRAM.name, PROGRAM.argv, str(PROGRAM.log), [], []]) + "\n" + RUNS
    monkeypatch.setattr("lab.machines.container.secrets.token_hex", lambda _: "0")
    execute = ("docker", "exec", "--env", f"{MARK}=0", "c")
    states = {(*execute, "sh", "-c", READ_STATES): shown, (*execute, "systemctl", "show"): "inactive\n"}
    engine = Scripted({("docker", "exec"): "", **states})

    Container("c", engine, "try", lambda machine: SystemdOwner(machine, "try", "/root/of/try", lambda: None)).start(PROGRAM)

    assert f"{' '.join(execute)} systemctl start {NAME}" in engine.transcript()
    assert "BindsTo=karmada-lab.try.lease.service" in str(engine.done)
    with pytest.raises(NotPossible):
        Container("c", engine).start(PROGRAM)
