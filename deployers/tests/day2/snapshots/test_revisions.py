"""The revision that an etcd has reached at most."""

from __future__ import annotations

from pathlib import Path

from deployers.day2.snapshots.revisions import MARGIN, read_revisions
from deployers.day2.snapshots.stores import Store
from deployers.tests.snapshot_fakes import FakeMachine, a_member, fake_utl


def test_an_etcd_without_data_has_none(tmp_path: Path) -> None:
    file = tmp_path / "full" / "member" / "snap" / "db"
    file.parent.mkdir(parents=True)
    file.touch()
    stores = [Store("full", (a_member(tmp_path / "full"),)), Store("none", (a_member(tmp_path / "none"),))]

    assert read_revisions(stores, fake_utl(FakeMachine(40))) == {"full": 40 + MARGIN}
