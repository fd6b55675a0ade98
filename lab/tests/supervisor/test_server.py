"""Requests that the supervisor refuses, and its lock and back-off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.supervisor.process import Process
from lab.supervisor.server import check_program, take_lock

PROGRAM = {"name": "member1/etcd", "argv": ["etcd"], "log": "/logs/etcd.log"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../etc/passwd"},
        {"name": "a//b"},
        {"name": "a+b"},
        {"name": ""},
        {"name": "a/../b"},
        {"argv": []},
        {"argv": [1]},
        {"nice": "much"},
    ],
)
def test_what_is_no_program_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        check_program({**PROGRAM, **wrong}, "/run")


def test_only_one_has_the_lock(tmp_path: Path) -> None:
    first = take_lock(str(tmp_path))
    assert first is not None
    assert take_lock(str(tmp_path)) is None
    os.close(first)
    again = take_lock(str(tmp_path))
    assert again is not None
    os.close(again)


def test_the_back_off_doubles_to_half_a_minute() -> None:
    process = Process("/run", check_program(PROGRAM, "/run"))

    assert [process.next_delay(1.0) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
