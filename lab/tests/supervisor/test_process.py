"""Logs of processes."""

from __future__ import annotations

from pathlib import Path

from lab.supervisor.process import rotate_log


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
