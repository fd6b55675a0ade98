from __future__ import annotations

import errno
import socket

import paramiko
import pytest

from lab.errors import LabError, ProvisionError, UsageError
from lab.machines.ssh.connect_errors import UnknownHostKey, connect_error, key_error
from lab.machines.ssh.host import SshHost

HOST = SshHost("a", "10.0.0.5", 2222, "user", key="/keys/a", known_hosts="/keys/known")
KEYS = [paramiko.RSAKey.generate(2048), paramiko.ECDSAKey.generate()]


@pytest.mark.parametrize(
    ("error", "noun"),
    [
        (UnknownHostKey(KEYS[0]), "/keys/known"),
        (paramiko.BadHostKeyException("10.0.0.5", KEYS[0], KEYS[1]), "changed"),
        (paramiko.AuthenticationException("no"), "/keys/a"),
        (socket.gaierror(-2, "Name or service not known"), "resolved"),
        (TimeoutError(), "answer"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "listens"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "route"),
        (paramiko.SSHException("Error reading SSH protocol banner"), "ssh server"),
        (EOFError(), "EOFError"),
    ],
)
def test_each_failure_has_its_reason_and_its_remedy(error: Exception, noun: str) -> None:
    found = connect_error(HOST, error)

    assert type(found) is ProvisionError
    assert noun in found.what
    assert found.what.startswith("connecting to a failed: ")
    assert found.remedy
    assert found.where == "ssh user@10.0.0.5 -p 2222"


def test_a_target_that_the_jump_host_cannot_reach_names_both() -> None:
    target = SshHost("b", "10.0.0.6", jump=HOST)
    found: LabError = connect_error(target, paramiko.ChannelException(2, "Connect failed"))

    assert "a cannot reach 10.0.0.6" in found.what


def test_keys_that_cannot_be_used_are_usage_errors() -> None:
    assert isinstance(connect_error(HOST, paramiko.PasswordRequiredException()), UsageError)
    assert key_error(HOST, "no key").where == "/keys/a"
