"""The run directory: written whole, read whole or refused."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from lab.errors import NotPossible, UsageError
from lab.run import Run, list_runs, replace_file, write_private


def test_what_was_created_is_loaded(tmp_path: Path) -> None:
    made = Run.create("a-1", {"lab": {"members": []}}, root=tmp_path)

    loaded = Run.load("a-1", root=tmp_path)

    assert (loaded.id, loaded.path, loaded.asked, loaded.created) == (made.id, made.path, made.asked, made.created)


@pytest.mark.parametrize("name", ["", "A", "a/b", "../a", "-a", "a-", "a" * 41, "a b", "ä"])
def test_illegal_names_are_refused_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        Run.create(name, {}, root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_second_of_the_same_name_is_refused(tmp_path: Path) -> None:
    Run.create("a", {"one": 1}, root=tmp_path)

    with pytest.raises(UsageError):
        Run.create("a", {"two": 2}, root=tmp_path)
    assert Run.load("a", root=tmp_path).asked == {"one": 1}


def test_an_unknown_run_lists_those_that_are_there(tmp_path: Path) -> None:
    Run.create("mine", {}, root=tmp_path)

    with pytest.raises(UsageError) as error:
        Run.load("yours", root=tmp_path)
    assert "mine" in str(error.value.where)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": 1}', "null", "\x00\x00"])
def test_a_half_written_directory_is_refused_with_the_remedy(tmp_path: Path, content: str) -> None:
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_text(content)

    with pytest.raises(NotPossible) as error:
        Run.load("torn", root=tmp_path)
    assert "lab gc --lab torn" in str(error.value.remedy)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    run = Run.create("old", {}, root=tmp_path)
    head = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**head, "schema": 99}))

    with pytest.raises(NotPossible, match="another version"):
        Run.load("old", root=tmp_path)


def test_a_torn_last_line_of_the_journal_is_passed_over(tmp_path: Path) -> None:
    run = Run.create("a", {}, root=tmp_path)
    run.journal("one")
    with (run.path / "journal.jsonl").open("a") as journal:
        journal.write('{"event": "tw')

    assert [event["event"] for event in run.events()] == ["one"]


def test_many_writers_do_not_interleave(tmp_path: Path) -> None:
    run = Run.create("a", {}, root=tmp_path)

    def write() -> None:
        for _ in range(50):
            run.journal("e", text="x" * 500)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(1 for _ in run.events()) == 400


def test_records_come_back_and_are_forgotten(tmp_path: Path) -> None:
    run = Run.create("a", {}, root=tmp_path)
    run.record("ports", "member1", {"https": 1})

    assert run.recorded("ports", "member1") == {"https": 1}
    assert run.records("ports") == {"member1": {"https": 1}}
    run.forget("ports", "member1")
    run.forget("ports", "member1")
    assert run.recorded("ports", "member1") is None


def test_secrets_are_private(tmp_path: Path) -> None:
    run = Run.create("a", {}, root=tmp_path)
    folder = run.folder("pki", "member1")
    write_private(folder / "ca.key", b"secret")

    assert stat.S_IMODE((folder / "ca.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((run.path / "pki").stat().st_mode) == 0o700


def test_a_full_disk_is_a_clear_error_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    write_private(target, b"old")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(NotPossible) as error:
        write_private(target, b"new")

    assert "No space left" in error.value.what
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_known_runs_include_half_written_ones_and_no_links(tmp_path: Path) -> None:
    Run.create("whole", {}, root=tmp_path)
    (tmp_path / "torn").mkdir()
    (tmp_path / "latest").symlink_to(tmp_path / "whole")

    assert list_runs(tmp_path) == ["torn", "whole"]


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
