"""Files to and from a machine: an interrupt ends a copy that began before it."""

from __future__ import annotations

import threading

import pytest

from lab import wait
from lab.machines.ssh.transfer import stop_on_interrupt
from lab.wait import Cancelled


def test_a_copy_ends_with_its_next_piece_when_we_are_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "CANCELLED", threading.Event())
    copied = stop_on_interrupt()
    copied(1, 2)

    wait.CANCELLED.set()

    with pytest.raises(Cancelled):
        copied(2, 2)
    stop_on_interrupt()(1, 2)  # evidence is copied whole
