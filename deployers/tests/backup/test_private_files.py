"""Files of secrets are for their owner alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.backup.private_files import require_private
from lab.errors import UsageError


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_private_file_is_fine(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("")
    path.chmod(mode)

    require_private(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_one_that_others_may_use_is_refused(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("")
    path.chmod(mode)

    with pytest.raises(UsageError, match=f"{mode:04o}"):
        require_private(path)


def test_one_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        require_private(tmp_path / "none")
