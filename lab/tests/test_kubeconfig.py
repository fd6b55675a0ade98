"""Kubeconfigs that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.kubeconfig import read_ports
from lab.status.client import Client, Silent


def test_a_kubeconfig_that_cannot_be_used_is_silence(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("nonsense")

    assert read_ports(tmp_path / "k") == read_ports(tmp_path / "none") == {}
    with pytest.raises(Silent):
        Client(tmp_path / "k", "any", within=1.0)
