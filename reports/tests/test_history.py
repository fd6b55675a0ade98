"""The history between runs: one line per run in history.jsonl, small enough for a year of nightly runs."""

from __future__ import annotations

from pathlib import Path

from reports.tests.results import PASSED, cell, reported


def test_history_is_kept_in_a_file_and_a_run_reported_twice_is_one_line(tmp_path: Path) -> None:
    path = cell(tmp_path, PASSED)
    file = tmp_path / "history.jsonl"
    file.write_text('{"schema": 9}\n{"schema": 1, "ru\n')

    first = reported(path, history=file)
    first.kept.write(file)
    again = reported(path, history=file)

    assert "2 lines of the history could not be read" in first.notes[0]
    assert again.notes == ()
    assert again.history.rows == ()
    assert again.kept == first.kept.__class__(first.kept.rows)
