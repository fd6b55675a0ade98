"""Data, keys and records of a snapshot in a run directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.day2.snapshots import put_back
from deployers.day2.snapshots.stores import Store
from deployers.plane import pending_operation
from deployers.tests.snapshot_fakes import ASKED, FakeMachine, a_member, a_snapshot, fake_utl
from lab.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("lab1", ASKED, root=tmp_path)


def test_new_data_replaces_the_old_and_an_interrupt_is_gone_on_with(tmp_path: Path, run: Run) -> None:
    data = run.folder("data", "member1", "etcd")
    (data / "old").touch()
    stores, machine = [Store("member1", (a_member(data),))], FakeMachine()

    put_back.prepare_data(a_snapshot(tmp_path), stores, fake_utl(machine), {})
    assert [path.name for path in data.iterdir()] == ["old"]
    put_back.exchange_data(stores)
    put_back.exchange_data(stores)

    assert [path.name for path in data.iterdir()] == ["new"]
    assert "--name=member1" in machine.commands[0]


@pytest.mark.parametrize(("now", "bump"), [(0, None), (5, 1), (7, 1), (40, 34)])
def test_a_restored_etcd_goes_on_beyond_every_revision_that_was_seen(tmp_path: Path, run: Run, now: int, bump: int | None) -> None:
    stores, machine = [Store("member1", (a_member(run.folder("data") / "etcd"),))], FakeMachine()

    put_back.prepare_data(a_snapshot(tmp_path), stores, fake_utl(machine), {"member1": now})

    bumps = [int(word.partition("=")[2]) for word in machine.commands[0] if word.startswith("--bump-revision=")]
    assert bumps == ([] if bump is None else [bump])
    assert ("--mark-compacted" in machine.commands[0]) is (bump is not None)
    assert 7 + (bump or 0) > now or not now


def test_records_and_keys_are_those_of_the_snapshot(tmp_path: Path, run: Run) -> None:
    made = a_snapshot(tmp_path)
    run.record("members", "member2", {"mode": "pull"})
    run.record("ports", "member1", {"apiserver": 1})
    run.record(pending_operation.KIND, pending_operation.NAME, {"what": "a restore"})
    run.record("etcd", "etcd-2", {"initial-cluster-state": "existing"})
    assert not put_back.has_same_keys(made, run)

    put_back.put_records(made, run)
    put_back.put_keys(made, run)

    assert list(run.records("members")) == ["member1"]
    assert run.records("ports") == {"member1": {"apiserver": 1}}
    assert run.recorded(pending_operation.KIND, pending_operation.NAME)
    assert run.records("etcd") == {}
    assert put_back.has_same_keys(made, run)
