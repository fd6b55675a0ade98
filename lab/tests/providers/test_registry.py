"""Providers by their names."""

from __future__ import annotations

import pytest

from lab.providers import embedded_cluster
from lab.providers.registry import get_provider
from lab.run import Run


@pytest.fixture(autouse=True)
def fixed_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    def numbered(run: Run, name: str, uses: list[str]) -> dict[str, int]:
        return {use: 20_000 + 100 * len(name) + number for number, use in enumerate(uses)}

    monkeypatch.setattr(embedded_cluster, "ports_of", numbered)


def test_an_unknown_provider_lists_the_known() -> None:
    with pytest.raises(Exception, match="provider"):
        get_provider("cloud")
