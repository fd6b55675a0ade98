"""What may change about the members of an etcd in pods, before anything is changed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from deployers.etcd import pod_membership
from deployers.etcd.health import EtcdHealth, EtcdMember
from deployers.etcd.pod import PodEtcdClient
from deployers.etcd.pod_membership import add, grow, remove, replace
from deployers.karmada import Karmada
from deployers.plane import pending_operation
from deployers.pods.etcd.install import member_count
from deployers.tests.control_plane_fakes import a_karmada
from lab.errors import NotPossible, UsageError

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=300)


def member(name: str, *, answers: bool = True, learner: bool = False) -> EtcdMember:
    return EtcdMember(name, "1", f"https://{name}", learner, answers, leads=name == "etcd-0")


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the parts of a change that were carried out."""
    done: list[str] = []
    for part in ("remove_from_list", "add_voter", "scale", "drop_volume", "configure_start", "wait_all_vote"):
        monkeypatch.setattr(pod_membership, part, lambda *args, part=part, **_: done.append(f"{part} {args[-1]}"))
    return done


def a_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *members: EtcdMember, etcd: Any = None) -> Karmada:
    class Fake:
        def health(self) -> EtcdHealth:
            return EtcdHealth(members, 1, (), LATER)

    monkeypatch.setattr(PodEtcdClient, "of", lambda karmada: Fake())
    return a_karmada(tmp_path, {"deployer": "by_yaml", "etcd": etcd or {"members": 3}})


@pytest.mark.parametrize("change", [add, grow, lambda karmada: remove(karmada, "etcd-0"), lambda karmada: replace(karmada, "etcd-0")])
def test_upstreams_own_etcd_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    with pytest.raises(NotPossible):
        change(a_plane(tmp_path, monkeypatch, member("etcd-0"), etcd={"members": 1}))


def test_only_the_last_member_can_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: list[str]) -> None:
    karmada = a_plane(tmp_path, monkeypatch, *(member(f"etcd-{n}") for n in range(3)))

    with pytest.raises(UsageError, match="etcd-2"):
        remove(karmada, "etcd-0")
    assert changed == []
    after = remove(karmada, "etcd-2")
    assert changed[:3] == ["remove_from_list etcd-2", "scale 2", "drop_volume etcd-2"]
    assert (member_count(after), after.spec.etcd.members) == (2, 3)


@pytest.mark.parametrize("name", ["etcd-2", "etcd-9"])
def test_nothing_is_removed_below_quorum_or_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: list[str], name: str
) -> None:
    karmada = a_plane(tmp_path, monkeypatch, member("etcd-0"), member("etcd-1", answers=False), member("etcd-2"))

    with pytest.raises(UsageError):
        remove(karmada, name)
    assert changed == []
    assert member_count(karmada) == 3


def test_only_a_lost_member_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: list[str]) -> None:
    karmada = a_plane(tmp_path, monkeypatch, member("etcd-0"), member("etcd-1", answers=False), member("etcd-2"))

    with pytest.raises(UsageError, match="alive"):
        replace(karmada, "etcd-2")
    assert changed == []
    replace(karmada, "etcd-1")
    assert changed == ["remove_from_list etcd-1", "add_voter etcd-1"]


def test_a_replacement_goes_on_where_it_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: list[str]) -> None:
    karmada = a_plane(tmp_path, monkeypatch, member("etcd-0"), member("etcd-2"))
    with pytest.raises(RuntimeError), pending_operation.hold_pending(karmada.run, "replacing etcd-1 in etcd", again="x"):
        raise RuntimeError

    replace(karmada, "etcd-1")
    assert changed == ["add_voter etcd-1"], "it was struck from the list already"


def test_members_are_added_one_after_the_other_up_to_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: list[str]) -> None:
    karmada = a_plane(tmp_path, monkeypatch, member("etcd-0"), etcd={"members": 1, "storage": {"size": "1Gi"}})
    with pytest.raises(UsageError, match="etcd-2"):
        add(karmada, "etcd-2")

    after = grow(karmada)
    assert changed == ["add_voter etcd-0", "add_voter etcd-1", "add_voter etcd-2"]
    assert after.spec.etcd.members == 3
    assert grow(after) is after
    with pytest.raises(UsageError, match="three"):
        add(after)
