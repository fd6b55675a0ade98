"""Paths in lab files and inventories begin at the folder of the file."""

from pathlib import Path

import pytest

from lab.named_files import resolve_file, resolve_files

FOLDER = Path("/labs")


@pytest.mark.parametrize(
    ("given", "expected"), [("k/a", "/labs/k/a"), ("../a", "/labs/../a"), ("/a", "/a"), ("~nosuchuser/a", "/labs/~nosuchuser/a"), ("", "")]
)
def test_a_relative_path_begins_at_the_folder(given: str, expected: str) -> None:
    assert resolve_file(given, FOLDER) == expected


def test_a_leading_tilde_is_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/u")

    assert resolve_file("~/a", FOLDER) == "/home/u/a"


@pytest.mark.parametrize("given", [5, None, ["a"], True])
def test_what_is_no_path_is_left_to_validation(given: object) -> None:
    assert resolve_file(given, FOLDER) == resolve_files(given, ("key",), FOLDER) == given


def test_only_the_named_keys_of_a_table_are_paths() -> None:
    assert resolve_files({"key": "a", "name": "a"}, ("key",), FOLDER) == {"key": "/labs/a", "name": "a"}
