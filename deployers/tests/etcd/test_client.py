"""etcd's health from what its tools print, and what may be removed from it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from deployers.etcd.client import EtcdClient
from deployers.etcd.tools import Etcdutl
from deployers.tests.control_plane_fakes import a_karmada
from lab.errors import ProvisionError, UsageError
from lab.machines.scripted import Answer, Scripted, ScriptedFailure
from lab.pki import Authority

LISTED = {
    "members": [
        {"ID": 255, "name": "etcd", "peerURLs": ["https://p1"], "clientURLs": ["https://127.0.0.1:1"]},
        {"ID": 171, "name": "etcd-2", "peerURLs": ["https://p2"], "clientURLs": ["https://127.0.0.1:2"]},
    ]
}


def an_etcd(folder: Path, answers: dict[tuple[str, ...], Answer]) -> EtcdClient:
    """Return an etcd of two members whose tools answer so."""
    authority = Authority.ensure(folder, "etcd-ca", common_name="etcd-ca")
    authority.issue("etcd-server", common_name="server", valid=dt.timedelta(days=90))
    machine = Scripted({("/etcdctl", *args): answer for args, answer in answers.items()})
    endpoints = {"etcd": "https://127.0.0.1:1", "etcd-2": "https://127.0.0.1:2"}
    return EtcdClient(folder, endpoints, machine, Path("/etcdctl"), Etcdutl(machine, Path("/etcdutl")))


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
