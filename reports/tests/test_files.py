"""Read the files of a job safely: regular files only, up to a size, and only valid JSON values."""

from __future__ import annotations

from reports.files import parse_float


def test_a_number_that_is_too_large_is_none() -> None:
    assert parse_float("1e400") is None
