"""A run that is asked for something else while it is there, and files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.run import Run, replace_file


def test_what_is_asked_for_can_change_and_up_has_to_look_again(tmp_path: Path) -> None:
    run = Run.create("one", {"karmada": {"release": "1.18.1"}}, root=tmp_path)
    run.record("up", "arguments", {"arguments": "x"})

    changed = run.ask({"karmada": {"release": "1.18.2"}})

    assert changed.asked == Run.load("one", root=tmp_path).asked == {"karmada": {"release": "1.18.2"}}
    assert (changed.id, changed.created, changed.path) == (run.id, run.created, run.path)
    assert run.recorded("up", "arguments") is None


def test_a_file_replaces_the_old_one_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replace_file(path) as half:
        half.write_text((tmp_path / "missing").read_text())
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "old")]

    with replace_file(path) as new:
        new.write_text("new")

    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "new")]
    assert path.stat().st_mode & 0o777 == 0o600
