"""The home and cache of the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import NotPossible
from lab.limits.account import cache_directory, expand_home, home_directory


def test_the_cache_is_where_the_variables_say() -> None:
    assert cache_directory({"KARMADA_LAB_CACHE": "/c", "HOME": "/h"}) == Path("/c")
    assert cache_directory({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/karmada-lab")
    assert cache_directory({"XDG_CACHE_HOME": "relative", "HOME": "/h"}) == Path("/h/.cache/karmada-lab")
    assert cache_directory({"HOME": "/h"}) == Path("/h/.cache/karmada-lab")


def test_a_user_without_an_entry_in_passwd_needs_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    monkeypatch.delenv("HOME", raising=False)

    assert home_directory({}) is None
    assert home_directory({"HOME": ""}) is None
    assert expand_home(Path("~/x")) == Path("~/x")
    with pytest.raises(NotPossible) as refused:
        cache_directory({})
    assert "KARMADA_LAB_CACHE" in (refused.value.remedy or "")
