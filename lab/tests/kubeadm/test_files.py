"""What is brought to a node: taken out of packages, and brought once."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

from lab.images.store import Archive
from lab.kubeadm import files, paths
from lab.machines.scripted import Scripted


def write_root(path: Path, names: list[str]) -> None:
    with tarfile.open(path, "w") as root:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 1
            root.addfile(member, io.BytesIO(b"x"))


def test_programs_and_their_libraries_are_taken_but_none_of_the_loader(tmp_path: Path) -> None:
    lib = "usr/lib/x86_64-linux-gnu"
    write_root(
        tmp_path / "root.tar", ["usr/sbin/runc", "usr/bin/ctr", f"{lib}/libc.so.6", f"{lib}/libpcre2-8.so.0", "usr/bin/apt", "etc/passwd"]
    )

    packed = files.pack_debian(tmp_path / "root.tar")

    with tarfile.open(packed) as tar:
        assert set(tar.getnames()) == {"bin/runc", "bin/ctr", "lib/libpcre2-8.so.0"}


def test_what_is_there_is_not_brought_again(tmp_path: Path) -> None:
    root = tmp_path / "bookworm-key" / "kubernetes.tar"
    root.parent.mkdir()
    programs = {name: tmp_path / name for name in files.PROGRAMS}
    archive = Archive("key", tmp_path / "images.tar", (), 1, 0.0, 0.0)
    for path in (root, archive.path, *programs.values()):
        path.write_text("x")
    brought = files.NodeFiles(root, programs, archive, archive, "pause")
    brought_before = [
        f"{paths.ROOT}/debian-bookworm-key.tar",
        f"{paths.BIN}/kubelet",
        f"{paths.BIN}/kubeadm",
        f"{paths.ROOT}/images/key.tar",
    ]
    present = "".join(f"f {hashlib.sha256(b'x').hexdigest()}  {path}\n" for path in brought_before)
    arrived = f"f {hashlib.sha256(b'x').hexdigest()}  {paths.BIN}/kubectl\n"
    answers = [present, arrived]
    machine = Scripted({("sh", "-c"): lambda _: answers.pop(0), ("mkdir",): "", ("tar",): ""})

    files.push_files(machine, brought, control_plane=False)

    assert [done.args[1] for done in machine.done if done.verb == "put"] == [f"{paths.BIN}/kubectl"]
    assert "tar -C" not in machine.transcript()


def test_programs_of_an_attempt_that_ended_before_they_were_unpacked_are_unpacked(tmp_path: Path) -> None:
    root = tmp_path / "bookworm-key" / "kubernetes.tar"
    root.parent.mkdir()
    archive = Archive("key", tmp_path / "images.tar", (), 1, 0.0, 0.0)
    for path in (root, archive.path):
        path.write_text("x")
    there = [f"{paths.ROOT}/debian-bookworm-key.tar", f"{paths.ROOT}/images/key.tar"]
    present = "".join(f"f {hashlib.sha256(b'x').hexdigest()}  {path}\n" for path in there)
    machine = Scripted({("sh", "-c"): present, ("mkdir",): "", ("tar",): ""})

    files.push_files(machine, files.NodeFiles(root, {}, archive, archive, "pause"), control_plane=False, unpack=True)

    assert f"tar -C {paths.ROOT}" in machine.transcript()
    assert [done for done in machine.done if done.verb == "put"] == []
