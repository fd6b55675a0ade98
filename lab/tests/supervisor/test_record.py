from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.supervisor import record


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
