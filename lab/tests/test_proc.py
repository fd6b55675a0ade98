"""Processes are named by pid and start time."""

from __future__ import annotations

import os

from lab import proc


def test_a_process_is_named_by_pid_and_start_time() -> None:
    me = os.getpid()
    started = proc.read_start_time(me)
    assert started

    assert proc.is_alive(me, started)
    assert not proc.is_alive(me, started + 1)
    assert not proc.send_signal(me, started + 1)
    assert not proc.kill_process(me, started + 1, within=0.1)
    assert proc.read_start_time(2**22 + 1) is None
    assert {me, os.getppid()} <= proc.list_ancestors()
