"""Copies of etcd's files: all that counts of them, and no blocks of zeros."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployers.day2.snapshots.cut import BLOCK, copy_at_once, copy_sparse
from lab.supervisor.client import Supervisor

CHUNKS = st.lists(st.sampled_from([bytes(BLOCK), bytes(BLOCK - 1) + b"x", b"short", b"", bytes(7)]), max_size=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=CHUNKS)
def test_a_copy_has_the_same_bytes(tmp_path: Path, chunks: list[bytes]) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    copy.unlink(missing_ok=True)
    source.write_bytes(b"".join(chunks))

    copy_sparse(source, copy)

    assert copy.read_bytes() == source.read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o600


def test_the_log_that_etcd_makes_in_advance_takes_no_room(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(b"entry" + bytes(16 * BLOCK))

    copy_sparse(source, copy)

    assert copy.stat().st_blocks * 512 < 2 * BLOCK < copy.stat().st_size


def test_what_does_not_run_is_copied_without_a_pause(tmp_path: Path) -> None:
    for name in ("snap/db", "wal/1.wal", "wal/0.tmp"):
        (tmp_path / "data/member" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data/member" / name).write_text(name)

    frozen = copy_at_once(Supervisor(tmp_path), [], {tmp_path / "data": tmp_path / "copy"})

    assert frozen == 0.0
    assert sorted(path.name for path in (tmp_path / "copy").rglob("*") if path.is_file()) == ["1.wal", "db"]


def test_a_copy_is_never_written_over_another_file(tmp_path: Path) -> None:
    (tmp_path / "source").touch()
    (tmp_path / "there").write_text("mine")

    with pytest.raises(FileExistsError):
        copy_sparse(tmp_path / "source", tmp_path / "there")
