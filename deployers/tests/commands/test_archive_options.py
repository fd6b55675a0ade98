"""The directory for copies of an archive is private, and is deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.commands.archive_options import scratch_folder


def test_the_folder_is_private_and_goes_also_after_a_failure() -> None:
    def fail() -> None:
        with scratch_folder() as folder:
            made.append(folder)
            assert folder.stat().st_mode & 0o777 == 0o700
            raise RuntimeError

    made: list[Path] = []
    with pytest.raises(RuntimeError):
        fail()

    assert not made[0].exists()
