"""Finding files: every name is found or listed, whatever it is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.assets.command import CommandResult
from scenarios.ci.lint import files
from scenarios.ci.lint.coverage import Reason, show_name
from scenarios.ci.lint.files import find_files
from scenarios.tests.ci.lint.lint_fakes import Tools, write


def reasons(root: Path, tools: Tools | None = None) -> dict[str, str]:
    return {each.name: each.why.text for each in find_files(root, tools or Tools()).unchecked}


def test_names_with_blanks_dashes_line_breaks_and_foreign_bytes_are_found(tmp_path: Path) -> None:
    names = ["-rf.yaml", "-", "a b.yaml", "n\nl.sh", os.fsdecode(b"\xff\xfe.yaml"), "ü.yaml", "d/" * 40 + "deep.sh"]
    write(tmp_path, dict.fromkeys(names, "x"))

    assert find_files(tmp_path, Tools()).names == sorted(names)
    assert all(show_name(name).isprintable() for name in names)


def test_folders_of_others_are_listed_with_how_much_is_in_them(tmp_path: Path) -> None:
    write(tmp_path, {"vendor/a/b.yaml": "x", "vendor/c.yaml": "x", "node_modules/d.js": "x", "pkg/testdata/e.yaml": "x", "f.yaml": "x"})

    tree = find_files(tmp_path, Tools())

    assert tree.names == ["f.yaml"]
    assert {each.name: each.files for each in tree.unchecked} == {"vendor/": 2, "node_modules/": 1, "pkg/testdata/": 1}


def test_links_are_listed_by_where_they_lead(tmp_path: Path) -> None:
    root = write(tmp_path / "repo", {"a.yaml": "x"})
    write(tmp_path, {"outside.yaml": "x"})
    (root / "inside").symlink_to("a.yaml")
    (root / "outside").symlink_to("../outside.yaml")
    (root / "folder").symlink_to(tmp_path, target_is_directory=True)
    (root / "broken").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")

    assert reasons(root) == {
        "inside": Reason.LINK_INSIDE.value.text,
        "outside": Reason.LINK_OUTSIDE.value.text,
        "folder": Reason.LINK_OUTSIDE.value.text,
        "broken": Reason.LINK_BROKEN.value.text,
        "loop": Reason.LINK_BROKEN.value.text,
    }


def test_a_fifo_is_listed_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")

    assert reasons(tmp_path) == {"pipe.yaml": Reason.SPECIAL.value.text}


def test_submodules_are_listed_whether_checked_out_or_not(tmp_path: Path) -> None:
    write(tmp_path, {".gitmodules": "", "lib/one/.git": "gitdir: x", "lib/one/a.yaml": "x", "lib/two/b": "x"})
    tools = Tools(outputs={"git": "submodule.two.path\nlib/two\0"})

    assert reasons(tmp_path, tools) == {"lib/one/": Reason.SUBMODULE.value.text, "lib/two/": Reason.SUBMODULE.value.text}


def test_what_git_ignores_is_listed(tmp_path: Path) -> None:
    write(tmp_path, {"build/a.yaml": "x", "secret.yaml": "x", "b.yaml": "x"})
    tree = find_files(tmp_path, Tools(outputs={"git": "build/\0secret.yaml\0"}))

    assert tree.names == ["b.yaml"]
    assert {each.name for each in tree.unchecked} == {"build/", "secret.yaml"}


def test_without_git_nothing_is_ignored(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "x"})

    assert find_files(tmp_path, lambda *_, **__: CommandResult(127, "a.yaml\0", "")).names == ["a.yaml"]


def test_a_folder_that_cannot_be_read_is_listed_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"closed/a.yaml": "x", "b.yaml": "x"})
    real = files.list_folder

    def closed(folder: Path) -> list[os.DirEntry[str]]:
        if folder.name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(files, "list_folder", closed)

    (found,) = find_files(tmp_path, Tools()).unchecked
    assert (found.name, found.fixable) == ("closed/", True)
