from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lab.errors import CommandFailed, NotPossible
from lab.machines.record import MachineRecord, record_machine
from lab.machines.route import check_route, find_unreached
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.run import Run


@pytest.mark.parametrize(
    ("jump", "error", "reached"),
    [
        ("", OSError(), True),
        ("gate", None, True),
        ("gate", ConnectionRefusedError(), True),
        ("gate", TimeoutError(), False),
        ("gate", OSError(113, "No route to host"), False),
    ],
)
def test_a_host_that_only_a_jump_host_reaches_serves_no_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: str, error: OSError | None, reached: bool
) -> None:
    def connect(*_: object, **__: object) -> socket.socket:
        if error:
            raise error
        return socket.socket()

    monkeypatch.setattr("lab.machines.route.socket.create_connection", connect)
    run = Run.create("blue", {}, root=tmp_path)
    record_machine(run, "a", MachineRecord("ssh", "10.0.0.1", jump=jump))
    if reached:
        check_route(run, "a")
    else:
        with pytest.raises(NotPossible, match="gate") as caught:
            check_route(run, "a")
        assert caught.value.remedy


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("", {}),
        ("10.0.0.2:2380 No route to host\n", {("10.0.0.2", 2380): "No route to host"}),
        ("10.0.0.2:2380 no answer within 5 s\n", {("10.0.0.2", 2380): "no answer within 5 s"}),
    ],
)
def test_only_targets_without_an_answer_are_unreached(printed: str, found: dict[tuple[str, int], str]) -> None:
    machine = Scripted({("sh", "-c"): printed})

    assert find_unreached(machine, [("10.0.0.2", 2380), ("10.0.0.2", 2379)]) == found
    assert machine.done[0].args[-2:] == ("10.0.0.2:2379", "10.0.0.2:2380")


def test_a_machine_without_the_tools_is_refused() -> None:
    with pytest.raises(NotPossible, match="bash"):
        find_unreached(Scripted({("sh",): ScriptedFailure(3, "bash is not installed there\n")}), [("10.0.0.2", 1)])
    with pytest.raises(CommandFailed):
        find_unreached(Scripted({("sh",): ScriptedFailure(1)}), [("10.0.0.2", 1)])
    assert find_unreached(Scripted(), []) == {}
