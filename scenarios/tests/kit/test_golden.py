"""Comparing with golden files, and --update-golden."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.kit.golden import CheckGolden, check_golden, update_golden


def test_an_equal_text_passes_and_a_changed_line_fails_with_a_diff(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("--v=2\n")

    check_golden(file, "--v=2\n")
    with pytest.raises(pytest.fail.Exception, match="update-golden") as failed:
        check_golden(file, "--v=4\n")
    assert {"---v=2", "+--v=4"} <= set(str(failed.value).splitlines())
    assert file.read_text() == "--v=2\n"


def test_a_missing_golden_file_fails(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="update-golden"):
        check_golden(tmp_path / "a.txt", "--v=2\n")


def test_updating_writes_the_file_and_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "golden/a.txt"

    update_golden(file, "--v=4\n")
    check_golden(file, "--v=4\n")


def test_the_option_selects_between_comparing_and_updating(golden: CheckGolden, pytestconfig: pytest.Config) -> None:
    assert golden is (update_golden if pytestconfig.getoption("--update-golden") else check_golden)
