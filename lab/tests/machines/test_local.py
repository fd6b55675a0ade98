"""Commands on this computer."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import proc
from lab.errors import CommandFailed, ProvisionError
from lab.machines.local import Local
from lab.supervisor.remains import kill_orphans
from lab.tests.supervision import eventually, is_gone
from lab.wait import Cancelled


def test_put_makes_directories_keeps_the_mode_and_leaves_no_half_file(tmp_path: Path) -> None:
    machine, source, target = Local(tmp_path), tmp_path / "source", tmp_path / "far" / "away" / "target"
    source.write_text("secret")
    source.chmod(0o600)
    machine.put(source, target)
    machine.get(target, target)
    with pytest.raises(ProvisionError, match="nothing-here"):
        machine.put(tmp_path / "nothing-here", target)

    assert target.read_text() == "secret"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["target"]


@pytest.mark.spawns
def test_a_command_returns_what_it_printed(tmp_path: Path) -> None:
    done = Local(tmp_path).run(["sh", "-c", "cat; echo $WORD >&2"], input="in", env={"WORD": "out"})

    assert (done.stdout, done.stderr) == ("in", "out\n")
    assert done.seconds > 0


@pytest.mark.spawns
def test_a_command_leaves_nothing_outside_the_run_and_can_be_found(tmp_path: Path) -> None:
    printed = Local(tmp_path).run(["env"]).stdout.splitlines()

    assert f"TMPDIR={tmp_path}/scratch" in printed
    assert f"KUBECACHEDIR={tmp_path}/scratch/kube" in printed
    assert f"{proc.TAG}={tmp_path}" in printed


@pytest.mark.spawns
def test_a_command_that_fails_says_how(tmp_path: Path) -> None:
    machine = Local(tmp_path)
    with pytest.raises(CommandFailed, match="no space") as caught:
        machine.run(["sh", "-c", "echo no space >&2; exit 3"])
    assert caught.value.status == 3
    with pytest.raises(CommandFailed, match="No such file") as missing:
        machine.run(["/no/such/binary"])
    assert missing.value.status is None
    with pytest.raises(CommandFailed) as killed:
        machine.run(["sh", "-c", "kill -9 $$"])
    assert killed.value.status == -signal.SIGKILL


@pytest.mark.spawns
def test_a_command_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"0\.3 s") as caught:
        Local(tmp_path).run(["sh", "-c", "sleep 1000 & echo $!; wait"], within=0.3)

    child = int(caught.value.output.split("\n")[1])
    assert child != os.getpid()
    eventually(lambda: is_gone(child), "its child is gone", within=2)


@pytest.mark.spawns
def test_an_interrupt_ends_the_command_that_runs_but_none_that_comes_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = threading.Event()
    monkeypatch.setattr("lab.wait.CANCELLED", interrupted)
    machine = Local(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(machine.run, ["sh", "-c", f"touch {tmp_path}/begun; sleep 1000"])
        eventually((tmp_path / "begun").exists, "it runs")
        interrupted.set()
        with pytest.raises(Cancelled):
            running.result(timeout=10)

    assert not list(proc.find_tagged_processes(str(tmp_path)))
    assert machine.run(["sh", "-c", "sleep 0.3; echo saved"]).stdout == "saved\n"


@pytest.mark.spawns
def test_much_input_and_output_pass_through_a_slow_command(tmp_path: Path) -> None:
    text = "x" * (1 << 20)

    assert Local(tmp_path).run(["sh", "-c", "sleep 0.6; cat"], input=text).stdout == text
    assert Local(tmp_path).run(["cat"]).stdout == ""


@pytest.mark.spawns
def test_a_daemon_that_keeps_the_output_open_does_not_keep_us(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="not within"):
        Local(tmp_path).run(["sh", "-c", "setsid sleep 1000 & wait"], within=0.3)

    kill_orphans(str(tmp_path))
    assert not list(proc.find_tagged_processes(str(tmp_path)))
