"""Directories are tried, so a real one passes and each fault is seen when the trial fails."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.doctor.checks import judge_directory, judge_inodes, judge_space
from lab.limits.directory import Directory, entries_of_others, inspect_directory, kind_of
from lab.limits.files import Files
from lab.limits.finding import GIB, MIB


def test_a_local_disk_can_do_everything_and_nothing_stays(tmp_path: Path) -> None:
    seen = inspect_directory(tmp_path / "not" / "there", Files())

    assert seen.lacks == {}
    assert seen.existing == tmp_path
    assert seen.free > 0
    assert list(tmp_path.iterdir()) == []


def test_a_long_path_is_no_obstacle_to_sockets(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 100] * 3)
    deep.mkdir(parents=True)

    assert "sockets" not in inspect_directory(deep, Files()).lacks


@pytest.mark.parametrize("name", ["a:b", "line\nbreak", "bell\a", "x" * 4000])
def test_names_that_lists_of_paths_cannot_carry(tmp_path: Path, name: str) -> None:
    assert "name" in inspect_directory(tmp_path / name, Files()).lacks


@pytest.mark.parametrize("name", ["with blank", "ümlaut", "quote'd", "per%cent", "com,ma"])
def test_other_names_are_fine(tmp_path: Path, name: str) -> None:
    assert inspect_directory(tmp_path / name, Files()).lacks == {}


def test_a_file_where_the_directory_would_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "not a directory" in inspect_directory(tmp_path / "file", Files()).lacks["write"]
    assert "write" in inspect_directory(tmp_path / "file" / "below", Files()).lacks


def test_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing")

    assert "link" in inspect_directory(tmp_path / "link", Files()).lacks["write"]


def test_folders_that_another_user_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ports", "locks", "assets"):
        (tmp_path / name).mkdir()
    (tmp_path / "ports" / ".lock").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or path not in {tmp_path / "locks", tmp_path / "ports" / ".lock"})

    assert inspect_directory(tmp_path, Files()).lacks["owner"].startswith("locks, ports/.lock")


def test_a_directory_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "scandir", refuse(errno.EACCES))

    assert entries_of_others(tmp_path) == ["."]


def refuse(number: int) -> Callable[..., Any]:
    def raising(*_args: Any, **_kwargs: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return raising


@pytest.mark.parametrize(
    ("patched", "number", "lacking"),
    [
        ("tempfile.mkdtemp", errno.EROFS, "write"),
        ("tempfile.mkdtemp", errno.ENOSPC, "write"),
        ("os.fsync", errno.EIO, "write"),
        ("socket.socket.bind", errno.EPERM, "sockets"),
        ("fcntl.flock", errno.ENOLCK, "locks"),
        ("mmap.mmap", errno.ENODEV, "mapped files"),
        ("pathlib.Path.symlink_to", errno.EPERM, "links"),
        ("pathlib.Path.chmod", errno.EPERM, "modes"),
    ],
)
def test_what_a_file_system_refuses_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patched: str, number: int, lacking: str
) -> None:
    if patched == "socket.socket.bind":

        class Deaf(socket.socket):
            bind = refuse(number)

        monkeypatch.setattr(socket, "socket", Deaf)
    else:
        monkeypatch.setattr(patched, refuse(number))

    assert os.strerror(number) in inspect_directory(tmp_path, Files()).lacks[lacking]


def test_modes_that_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vfat and 9p say yes to chmod and keep 0755."""
    monkeypatch.setattr(Path, "chmod", lambda _path, _mode: None)

    assert "would be readable by others" in inspect_directory(tmp_path, Files()).lacks["modes"]


def test_a_lock_that_locks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", lambda *_args: None)

    assert "locked again" in inspect_directory(tmp_path, Files()).lacks["locks"]


def test_noexec_is_seen_by_the_mount_and_by_the_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)
    noexec = os.statvfs_result((*tuple(real)[:8], real.f_flag | os.ST_NOEXEC, real.f_namemax))
    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", lambda _path: noexec)
        assert "noexec" in inspect_directory(tmp_path, Files()).lacks["execute"]

    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.X_OK)
    assert "may not be executed" in inspect_directory(tmp_path, Files()).lacks["execute"]


def test_names_that_differ_in_case_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: real(path) or real(path.with_name(path.name.title())))

    assert "case" in inspect_directory(tmp_path, Files()).lacks


def test_a_file_server_with_a_wrong_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)

    assert "clock" in inspect_directory(tmp_path, Files()).lacks


def test_the_kind_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    rows = ["1 0 8:1 / / rw - ext4 /dev/a rw", "2 1 0:3 / /mnt rw - tmpfs none rw", "3 2 0:4 / /mnt/my\\040disk rw - 9p host rw"]
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("\n".join(rows))

    files = Files(tmp_path)
    assert [kind_of(Path(path), files) for path in ("/mnt/my disk/x", "/mnt/other", "/mntx")] == ["9p", "tmpfs", "ext4"]


def test_a_finding_names_the_path_the_reason_and_the_remedy() -> None:
    place = Directory(Path("/c"), Path("/"), {"execute": "it is mounted noexec", "sockets": "no"}, GIB, 10, "tmpfs")
    finding = judge_directory("cache", place, ("write", "execute"), "set KARMADA_LAB_CACHE")

    assert not finding.ok
    assert "/c on tmpfs: execute: it is mounted noexec" in finding.found
    assert "sockets" not in finding.found
    assert judge_directory("cache", place, ("write",), "").ok


@pytest.mark.parametrize(("free", "need", "ok"), [(GIB, 600 * MIB, True), (599 * MIB, 600 * MIB, False), (0, 0, True)])
def test_space(free: int, need: int, ok: bool) -> None:
    assert judge_space("disk", Directory(Path("/"), Path("/"), {}, free, None), need, "free some").ok is ok


@pytest.mark.parametrize(("inodes", "ok"), [(0, False), (1999, False), (2000, True)])
def test_inodes(inodes: int, ok: bool) -> None:
    assert judge_inodes("runs", Directory(Path("/"), Path("/"), {}, GIB, inodes)).ok is ok
