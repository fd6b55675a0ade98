"""The option --checkout names a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from scenarios.commands.checkout import resolve_checkout


def test_a_checkout_is_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "karmada").mkdir()
    monkeypatch.chdir(tmp_path)

    assert resolve_checkout(Path("karmada")) == tmp_path / "karmada"
    assert resolve_checkout(None) is None


def test_a_checkout_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="checkout"):
        resolve_checkout(tmp_path / "none")
