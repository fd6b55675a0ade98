"""etcd's health from what its tools print, and what may be removed from it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from deployers.etcd.client import EtcdClient
from deployers.etcd.health import EtcdHealth, EtcdMember
from deployers.etcd.membership import require_removable
from deployers.etcd.tools import Etcdutl, last_line
from deployers.karmada import Karmada
from deployers.plane import pending_operation
from deployers.plane.layout import etcds, record_etcds
from deployers.tests.control_plane_fakes import a_karmada
from lab.cluster import Lab
from lab.errors import ProvisionError, UsageError
from lab.machines.scripted import Answer, Scripted, ScriptedFailure
from lab.pki import Authority
from lab.run import Run

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=300)


def member(name: str, **changes: Any) -> EtcdMember:
    fields: dict[str, Any] = {"name": name, "id": "1", "client": f"https://{name}", "learner": False, "answers": True}
    return EtcdMember(**{**fields, **changes})


def health(*members: EtcdMember, alarms: tuple[str, ...] = (), expires: dt.datetime = LATER) -> EtcdHealth:
    return EtcdHealth(members, 1, alarms, expires)


DOWN: dict[str, Any] = {"answers": False, "why": "refused"}


@pytest.mark.parametrize(
    ("members", "name", "refused"),
    [
        ([member("etcd")], "etcd", "voting member"),
        ([member("etcd"), member("etcd-2")], "etcd", None),
        ([member("etcd"), member("etcd-2", **DOWN)], "etcd", "below quorum"),
        ([member("etcd"), member("etcd-2", **DOWN)], "etcd-2", None),
        ([member("etcd"), member("etcd-2"), member("etcd-3")], "etcd-3", None),
        ([member("etcd"), member("etcd-2"), member("etcd-3", **DOWN)], "etcd-3", None),
        ([member("etcd"), member("etcd-2"), member("etcd-3", **DOWN)], "etcd-2", "below quorum"),
        ([member("etcd"), member("etcd-2", learner=True)], "etcd", "voting member"),
        ([member("etcd")], "etcd-9", "member 'etcd-9'"),
    ],
)
def test_a_majority_of_those_left_has_to_serve(members: list[EtcdMember], name: str, refused: str | None) -> None:
    if refused is None:
        require_removable(health(*members), name)
        return
    with pytest.raises(UsageError, match=refused):
        require_removable(health(*members), name)


def test_health_errors_are_listed() -> None:
    well = health(member("etcd", leads=True), member("etcd-2"))
    ill = health(
        member("etcd", lag=5000),
        member("etcd-2", **DOWN),
        member("etcd-3", learner=True),
        alarms=("NOSPACE of etcd",),
        expires=dt.datetime.now(dt.UTC) + dt.timedelta(days=3, hours=1),
    )

    assert well.problems == []
    assert [problem.partition(",")[0] for problem in ill.problems] == [
        "etcd-2 does not answer: refused",
        "etcd is 5000 entries behind",
        "etcd-3 is a learner: it does not vote yet",
        "alarm NOSPACE of etcd",
        "etcd has no leader",
        "its first certificate ends in 3 days",
    ]


def an_etcd(folder: Path, answers: dict[tuple[str, ...], Answer]) -> EtcdClient:
    """Return an etcd of two members whose tools answer so."""
    authority = Authority.ensure(folder, "etcd-ca", common_name="etcd-ca")
    authority.issue("etcd-server", common_name="server", valid=dt.timedelta(days=90))
    machine = Scripted({("/etcdctl", *args): answer for args, answer in answers.items()})
    endpoints = {"etcd": "https://127.0.0.1:1", "etcd-2": "https://127.0.0.1:2"}
    return EtcdClient(folder, endpoints, machine, Path("/etcdctl"), Etcdutl(machine, Path("/etcdutl")))


LISTED = {
    "members": [
        {"ID": 255, "name": "etcd", "peerURLs": ["https://p1"], "clientURLs": ["https://127.0.0.1:1"]},
        {"ID": 171, "name": "etcd-2", "peerURLs": ["https://p2"], "clientURLs": ["https://127.0.0.1:2"]},
    ]
}


def status(args: tuple[str, ...]) -> str | ScriptedFailure:
    if "--endpoints=https://127.0.0.1:2" in args:
        return ScriptedFailure(1, '{"level":"warn","msg":"retrying"}\nError: context deadline exceeded')
    said = {"header": {"revision": 9}, "version": "3.6.5", "dbSize": 4096, "dbSizeInUse": 1024, "leader": 255}
    return json.dumps([{"Endpoint": "x", "Status": {**said, "raftIndex": 12, "raftAppliedIndex": 10}}])


def test_health_is_what_every_member_says_of_itself(tmp_path: Path) -> None:
    alarms = {"alarms": [{"memberID": 171, "alarm": 1}]}
    etcd = an_etcd(
        tmp_path,
        {("member", "list"): json.dumps(LISTED), ("endpoint", "status"): status, ("alarm", "list"): json.dumps(alarms)},
    )

    seen = etcd.health()

    assert [(each.name, each.id, each.answers, each.leads, each.lag) for each in seen.members] == [
        ("etcd", "ff", True, True, 2),
        ("etcd-2", "ab", False, False, 0),
    ]
    assert seen.members[1].why == "context deadline exceeded"
    assert (seen.leader, seen.revision, seen.alarms) == ("etcd", 9, ("NOSPACE of etcd-2",))
    assert 88 <= (seen.expires - dt.datetime.now(dt.UTC)).days <= 90
    assert json.loads(json.dumps(seen.document()))["problems"]


def test_an_etcd_below_quorum_says_so(tmp_path: Path) -> None:
    etcd = an_etcd(tmp_path, {("member", "list"): ScriptedFailure(1, "Error: etcdserver: request timed out")})

    with pytest.raises(ProvisionError, match="quorum"):
        etcd.health()


def test_an_external_etcd_is_not_ours(tmp_path: Path) -> None:
    external = {"external": {"servers": ["https://a:1"], "ca": "/a", "cert": "/b", "key": "/c"}}

    with pytest.raises(UsageError, match="external etcd"):
        EtcdClient.of(a_karmada(tmp_path, {"etcd": external}))


@pytest.mark.parametrize("names", [["etcd"], ["etcd", "etcd-2", "etcd-3"], ["etcd-2", "etcd-3"], ["etcd-3"], ["etcd", "etcd-3"]])
def test_a_run_records_exactly_the_members_there_are(tmp_path: Path, names: list[str]) -> None:
    changed = record_etcds(a_karmada(tmp_path), names)

    again = Karmada.open(Lab.open(Run.load("golden", root=tmp_path)))
    assert etcds(changed) == etcds(again) == names
    assert again.spec.etcd.members == (1 if names == ["etcd"] else 3)


def test_a_log_line_is_reduced_to_its_message() -> None:
    assert last_line('{"level":"fatal","msg":"gone"}') == "gone"
    assert last_line("") == "it printed nothing"


def test_a_change_that_failed_stays_begun_until_it_is_through(tmp_path: Path) -> None:
    run = a_karmada(tmp_path).run
    with pytest.raises(RuntimeError), pending_operation.hold_pending(run, "a restore", again="lab restore A"):
        raise RuntimeError
    with (
        pytest.raises(ProvisionError, match="restore of this"),
        pending_operation.hold_pending(run, "an upgrade", again="b"),
    ):
        raise AssertionError
    assert pending_operation.facts_of(run, "a restore")

    with pending_operation.hold_pending(run, "a restore", again="lab restore A"):
        pass

    pending_operation.require_none(run)
