"""Faults that scenarios inject, how they are repaired, and the policies by which Karmada reacts to them."""

from __future__ import annotations

import socket

import pytest

from lab.wait import NotYet
from scenarios.kit.faults import check_ports


def test_a_port_without_a_listener_is_named() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        with pytest.raises(NotYet, match=str(port)):
            check_ports((port,))
        server.listen()
        check_ports((port,))
