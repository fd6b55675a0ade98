from __future__ import annotations

import signal

import pytest
from paramiko.message import Message

from lab.machines.ssh.signals import parse_exit_signal


def request(kind: str, *rest: str) -> bytes:
    message = Message()
    message.add_int(7)
    message.add_string(kind)
    message.add_boolean(False)
    for each in rest:
        message.add_string(each)
    return message.asbytes()


@pytest.mark.parametrize(
    ("name", "number"),
    [("KILL", signal.SIGKILL), ("HUP", signal.SIGHUP), ("SEGV@openssh.com", signal.SIGSEGV), ("ODD@example.com", signal.SIGKILL)],
)
def test_the_signal_of_a_command_is_read(name: str, number: int) -> None:
    assert parse_exit_signal(request("exit-signal", name)) == number


def test_other_requests_are_left_to_paramiko() -> None:
    assert parse_exit_signal(request("exit-status")) is None
    assert parse_exit_signal(b"\0\0\0\1\0\0\0\2\xff\xff") is None
