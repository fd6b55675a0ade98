from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lab import proc
from lab.supervisor import record
from lab.supervisor.process import Process, rotate_log
from lab.supervisor.server import check_program, take_lock
from lab.supervisor.state import ProgramState

PROGRAM = {"name": "member1/etcd", "argv": ["etcd"], "log": "/logs/etcd.log"}


def test_a_record_is_found_by_its_program_s_name(tmp_path: Path) -> None:
    assert record.write_record(str(tmp_path), {"name": "member1/etcd", "pid": 7})

    assert record.read_records(str(tmp_path)) == {"member1/etcd": {"name": "member1/etcd", "pid": 7}}
    assert [path.name for path in (tmp_path / "processes").iterdir()] == ["member1+etcd.json"]


def test_what_cannot_be_written_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record.write_record(str(tmp_path), {"name": "etcd", "pid": 7})
    monkeypatch.setattr(os, "write", lambda _fd, content: len(content) // 2)  # the disk is full

    assert not record.write_record(str(tmp_path), {"name": "etcd", "pid": 8})
    assert record.read_records(str(tmp_path))["etcd"]["pid"] == 7
    assert [path.name for path in (tmp_path / "processes").iterdir()] == ["etcd.json"]


def test_a_run_directory_that_is_gone_is_not_brought_back(tmp_path: Path) -> None:
    assert not record.write_record(str(tmp_path / "gone"), {"name": "etcd"})
    assert not (tmp_path / "gone").exists()


def test_half_a_record_is_passed_over(tmp_path: Path) -> None:
    record.write_record(str(tmp_path), {"name": "etcd"})
    (tmp_path / "processes" / "half.json").write_text('{"name": "ha')
    (tmp_path / "processes" / "list.json").write_text("[]")
    (tmp_path / "processes" / "etcd.json.new").write_text("")

    assert list(record.read_records(str(tmp_path))) == ["etcd"]


def test_a_row_reads_back_as_a_state() -> None:
    row = json.loads(json.dumps(Process("/run", check_program(PROGRAM, "/run")).row()))
    state = ProgramState.parse(row)

    assert (state.name, state.argv, state.state, state.pid) == ("member1/etcd", ("etcd",), "starting", None)


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


def test_a_large_log_is_put_aside_and_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    with log.open("ab", buffering=0) as program:
        program.write(b"x" * 100)
        assert not rotate_log(str(log), limit=100)
        assert rotate_log(str(log), limit=99)
        program.write(b"after")

    assert log.read_bytes() == b"after"
    assert (tmp_path / "etcd.log.1").read_bytes() == b"x" * 100
    assert not rotate_log(str(tmp_path / "none.log"))


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
