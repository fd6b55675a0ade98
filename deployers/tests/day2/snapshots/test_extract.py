"""The server that makes one file of a copied etcd."""

from __future__ import annotations

from pathlib import Path

from deployers.day2.snapshots.extract import make_argv


def test_no_other_user_reaches_it(tmp_path: Path) -> None:
    argv = make_argv(Path("etcd"), tmp_path)

    addresses = [word for word in argv if "-urls=" in word]
    assert addresses
    assert all(word.partition("=")[2].startswith("unix://") for word in addresses)
    assert "--force-new-cluster" in argv
