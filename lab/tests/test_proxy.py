"""A link that can be cut holds back what is sent, and lets it pass again."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lab.proxy import Proxy, enter_namespace


def test_a_cut_link_passes_nothing_and_a_mended_one_what_was_held_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = Proxy(server.getsockname()[1])
        try:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=5.0) as here:
                there, _ = server.accept()
                there.settimeout(5.0)
                here.sendall(b"one")
                assert there.recv(10) == b"one"

                proxy.cut()
                here.sendall(b"two")
                there.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    there.recv(10)

                proxy.restore()
                there.settimeout(5.0)
                assert there.recv(10) == b"two"
                there.close()
        finally:
            proxy.close()


def test_a_connection_to_a_closed_port_is_ended() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        target = gone.getsockname()[1]
    proxy = Proxy(target)
    try:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5.0) as here:
            assert here.recv(10) == b""
    finally:
        proxy.close()


def test_it_leads_out_of_a_network_namespace() -> None:
    """Ours stands for another one: entering it needs the same rights."""
    ours = Path("/proc/self/ns/net")
    try:
        with enter_namespace(ours):
            pass
    except OSError as error:
        pytest.skip(f"network namespaces may not be entered here: {error.strerror}")
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = Proxy(server.getsockname()[1], listens=ours, dials=ours)
        try:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=5.0) as here:
                there, _ = server.accept()
                with there:
                    here.sendall(b"one")
                    assert there.recv(10) == b"one"
        finally:
            proxy.close()
