from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.errors import UsageError
from scenarios.matrix.definition import Matrix
from scenarios.matrix.skew import NOT_TRIED, SkewResult, list_rows, load_results, read_results, save_results

MEMBER = "embedded-by_binary-1.18.2-1.31.14-skewmember"


def write_cell(folder: Path, **changes: object) -> None:
    folder.mkdir(parents=True)
    row = {"name": MEMBER, "outcome": "pass", "reason": "", "ended": 1_800_000_000.0, **changes}
    (folder / "cell.json").write_text(json.dumps(row))


def test_every_minor_is_a_cell_in_both_roles_with_every_karmada() -> None:
    rows = list_rows(Matrix.load(), {})
    assert len(rows) == 1 + 2 * 9
    assert {cell for row in rows[1:] for cell in row[2:]} == {NOT_TRIED}


def test_a_result_stands_in_its_own_row_and_column() -> None:
    rows = list_rows(Matrix.load(), {MEMBER: SkewResult(False, "it does not join", "2026-01-01")})
    found = [(row[:2], rows[0][at]) for row in rows[1:] for at, text in enumerate(row) if "does not join" in text]
    assert found == [(("1.31.14", "as member"), "Karmada 1.18.2")]


def test_the_newest_result_counts_and_one_without_verdict_does_not(tmp_path: Path) -> None:
    write_cell(tmp_path / "new", outcome="fail", reason="broken", ended=1_800_000_100.0)
    write_cell(tmp_path / "old")
    write_cell(tmp_path / "unknown", outcome="unknown", ended=1_900_000_000.0)
    write_cell(tmp_path / "other", name="embedded-by_binary-1.18.2-1.35.4-smoke")

    found = read_results([tmp_path])
    assert {name: (each.works, each.cause) for name, each in found.items()} == {MEMBER: (False, "broken")}


def test_results_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "skew.json"
    results = {MEMBER: SkewResult(True, "", "2026-01-01")}
    save_results(results, file)
    assert load_results(file) == results


@pytest.mark.parametrize("text", ["", "{}", '{"schema": 2, "cells": {}}'])
def test_an_invalid_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "skew.json").write_text(text)
    with pytest.raises(UsageError):
        load_results(tmp_path / "skew.json")
