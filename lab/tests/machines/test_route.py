from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lab.errors import NotPossible
from lab.machines.record import MachineRecord, record_machine
from lab.machines.route import check_route
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
