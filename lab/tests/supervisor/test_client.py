"""What a client says of a supervisor that ends while it is asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import ProvisionError
from lab.supervisor.client import Supervisor


@pytest.fixture
def ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The run of a supervisor that ends instead of answering: whoever has asked is cut off."""
    monkeypatch.chdir(tmp_path)  # an address has 108 bytes
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind("supervisor.sock")
        server.listen()

        def end() -> None:
            peer, _ = server.accept()
            peer.recv(1)
            peer.close()

        asked = threading.Thread(target=end)
        asked.start()
        yield tmp_path
        asked.join(timeout=5)


def test_a_supervisor_that_ends_just_now_is_none(ending: Path) -> None:
    assert Supervisor(ending).status() is None


def test_with_it_its_programs_end(ending: Path) -> None:
    Supervisor(ending).stop("member1/etcd")


def test_what_it_was_to_tell_is_not_known(ending: Path) -> None:
    with pytest.raises(ProvisionError, match="has ended"):
        Supervisor(ending).state("member1/etcd")
