"""What is refused before a snapshot is taken, and which member of etcd is copied."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from deployers.day2.snapshots import save
from deployers.day2.snapshots.save import choose_member, save_snapshot
from deployers.day2.snapshots.stores import Store
from deployers.etcd.client import EtcdClient
from deployers.karmada import Karmada
from deployers.tests.snapshot_fakes import ASKED, a_member, a_snapshot
from lab.cluster import Lab
from lab.component import Component
from lab.errors import NotPossible, UsageError
from lab.run import Run


def test_a_name_that_is_taken_is_refused_before_the_lab_is_touched(tmp_path: Path) -> None:
    run = Run.create("lab1", ASKED, root=tmp_path)
    a_snapshot(tmp_path)
    before = sorted(run.path.rglob("*"))

    with pytest.raises(UsageError):
        save_snapshot(run, "one")
    assert sorted(run.path.rglob("*")) == before


def three_members(tmp_path: Path) -> Store:
    return Store("karmada", tuple(Component(name=f"karmada/{name}", binary=tmp_path, flags={}) for name in ("etcd", "etcd-2", "etcd-3")))


@pytest.mark.parametrize(("leader", "found"), [("etcd-2", "karmada/etcd-2"), (None, None)])
def test_of_three_members_the_leader_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leader: str | None, found: str | None
) -> None:
    lab = Lab.open(Run.create("lab1", ASKED, root=tmp_path))
    monkeypatch.setattr(Karmada, "open", lambda _: None)
    monkeypatch.setattr(EtcdClient, "of", lambda _: SimpleNamespace(health=lambda: SimpleNamespace(leader=leader)))

    if found is None:
        with pytest.raises(NotPossible):
            choose_member(lab, three_members(tmp_path), {"karmada/etcd"})
    else:
        assert choose_member(lab, three_members(tmp_path), {"karmada/etcd"}).name == found


def test_members_that_do_not_run_have_no_leader(tmp_path: Path) -> None:
    lab = Lab.open(Run.create("lab1", ASKED, root=tmp_path))

    with pytest.raises(NotPossible):
        choose_member(lab, three_members(tmp_path), set())
    assert choose_member(lab, Store("member1", (a_member(tmp_path),)), set()).name == "member1/etcd"


def test_keys_and_records_are_copied(tmp_path: Path) -> None:
    run = Run.create("lab1", ASKED, root=tmp_path)
    (run.folder("pki", "host") / "ca.key").write_text("key")
    run.record("members", "member1", {"mode": "push"})
    run.record("ports", "host", {"apiserver": 1})

    save.copy_records(run, tmp_path / "copy")

    assert sorted(str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if path.is_file()) == [
        "pki/host/ca.key",
        "records/members/member1.json",
    ]
