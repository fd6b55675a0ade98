"""A program is copied with its libraries and its loader, and runs by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.machines.portable import LOADER, make_portable, portable_argv, portable_folder
from lab.machines.scripted import Scripted


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KARMADA_LAB_CACHE", str(tmp_path / "cache"))
    for name in ("haproxy", "libssl.so.3", "ld-linux.so.2"):
        (tmp_path / name).write_text(name)
    return tmp_path / "haproxy"


def ldd(folder: Path) -> Scripted:
    lines = ["\tlinux-vdso.so.1 (0x00007f)", f"\tlibssl.so.3 => {folder}/libssl.so.3 (0x00007f)", f"\t{folder}/ld-linux.so.2 (0x00007f)"]
    return Scripted({("ldd",): "\n".join(lines)})


def test_a_program_is_copied_with_what_it_needs(program: Path) -> None:
    copies = make_portable(program, ldd(program.parent))

    assert {copy.name: copy.read_text() for copy in copies} == {
        "haproxy": "haproxy",
        "libssl.so.3": "libssl.so.3",
        LOADER: "ld-linux.so.2",
    }
    assert {copy.parent for copy in copies} == {portable_folder(program)}
    assert make_portable(program, ldd(program.parent)) == copies


def test_the_loader_runs_the_copy(program: Path) -> None:
    folder = portable_folder(program)

    assert portable_argv(program) == (folder / LOADER, ("--library-path", str(folder), f"{folder}/haproxy"))


def test_another_program_has_another_folder(program: Path) -> None:
    before = portable_folder(program)
    program.write_text("a newer one")

    assert portable_folder(program) != before
