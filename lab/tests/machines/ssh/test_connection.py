from __future__ import annotations

import socket

from lab.machines.ssh.connection import SshConnection
from lab.machines.ssh.host import SshHost


def test_a_connection_closes_the_streams_that_it_keeps() -> None:
    connection = SshConnection(SshHost("m1", "10.0.0.1"), None)
    ours, theirs = socket.socketpair()
    connection.kept["/runs/a"] = [ours]

    connection.close()

    assert ours.fileno() == -1
    assert connection.kept == {}
    theirs.close()
