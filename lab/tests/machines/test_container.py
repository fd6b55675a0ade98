from __future__ import annotations

import signal
from pathlib import Path

import pytest

from lab.errors import CommandFailed, ProvisionError
from lab.machines.container import KILL, NOT_EXECUTED, REFUSED, Container, read_exit_status
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.machines.systemd_owner import SystemdOwner


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
