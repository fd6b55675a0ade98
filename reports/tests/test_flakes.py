"""Known flakes: each entry has an owner, an issue and an expiry date."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.steps import StepOutcome
from reports.flakes import FLAKES, read_flakes
from reports.tests.results import LOST, PASSED, cell, only, reported

FLAKE = '[[flake]]\ntest = "scenarios.test_join::*"\nowner = "@mala"\nissue = "#41"\nexpires = 2026-06-30\n'


def flakes(tmp_path: Path, text: str = FLAKE) -> Path:
    (tmp_path / "flakes.toml").write_text(text)
    return tmp_path / "flakes.toml"


def test_a_known_flake_makes_a_cell_unknown_until_its_day(tmp_path: Path) -> None:
    path = cell(tmp_path, PASSED, LOST, outcome="fail", exit_code=1)
    before, after = (datetime(2026, 6, day, 12, tzinfo=UTC).timestamp() for day in (29, 30))

    early = reported(path, flakes=flakes(tmp_path), now=before)
    late = reported(path, flakes=flakes(tmp_path), now=after)

    assert (only(early).outcome, early.has_failed_cells, early.has_unknown_cells) == (StepOutcome.UNKNOWN, False, False)
    assert "only known flakes failed: scenarios.test_join::* (@mala, #41, until 2026-06-30)" in only(early).reason
    assert (only(late).outcome, late.has_failed_cells) == (StepOutcome.FAIL, True)


def test_an_expired_flake_fails_a_run_in_which_everything_passed(tmp_path: Path) -> None:
    report = reported(cell(tmp_path, PASSED), flakes=flakes(tmp_path), now=datetime(2027, 1, 1, tzinfo=UTC).timestamp())

    assert (only(report).outcome, report.has_failed_cells) == (StepOutcome.PASS, True)


def test_a_flake_covers_only_its_cells_and_texts(tmp_path: Path) -> None:
    listed = FLAKE + 'cells = "kind-*"\n'
    path = cell(tmp_path, LOST, outcome="fail", exit_code=1)

    assert only(reported(path, flakes=flakes(tmp_path, listed), now=0.1)).outcome is StepOutcome.FAIL
    assert only(reported(path, flakes=flakes(tmp_path, FLAKE + 'says = "time"\n'), now=0.1)).outcome is StepOutcome.FAIL
    assert only(reported(path, flakes=flakes(tmp_path, FLAKE + 'says = "1 == 2"\n'), now=0.1)).outcome is StepOutcome.UNKNOWN


@pytest.mark.parametrize(
    "text", [FLAKE.replace("owner", "oner"), FLAKE.replace("2026-06-30", '"soon"'), "[[flake", "flak = 1\n", FLAKE + 'says = "("\n']
)
def test_a_list_that_lacks_an_owner_or_a_day_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as error:
        read_flakes(flakes(tmp_path, text), datetime.now(UTC).date())
    assert "flakes.toml" in str(error.value)


def test_this_project_s_own_list_is_valid_and_none_has_expired() -> None:
    assert read_flakes(FLAKES, datetime.now(UTC).date()).expired_entries == ()
