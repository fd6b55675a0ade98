"""etcd's alarms are read from its metrics endpoint."""

from __future__ import annotations

import pytest

from lab.diagnosis import store
from lab.diagnosis.cause import Rank
from lab.diagnosis.store import find_store_causes, read_alarm
from lab.tests.diagnosis.test_programs import make_state


@pytest.mark.parametrize(("alarm", "subjects"), [("ALARM NOSPACE", ["member1/etcd"]), ("", [])])
def test_an_alarm_is_a_cause(monkeypatch: pytest.MonkeyPatch, alarm: str, subjects: list[str]) -> None:
    from dataclasses import replace

    monkeypatch.setattr(store, "read_alarm", lambda url, *, within: alarm)
    etcd = replace(make_state("member1/etcd"), argv=("etcd", "--listen-metrics-urls=http://127.0.0.1:1"))

    found = list(find_store_causes({etcd.name: etcd, "member1/kwok": make_state("member1/kwok")}, within=1.0))

    assert [cause.subject for cause in found] == subjects
    assert all(cause.rank is Rank.STORE and cause.remedy for cause in found)


@pytest.mark.parametrize("url", ["unix://etcd.sock:0", "https://127.0.0.1:1", "http://127.0.0.1:1"])
def test_an_endpoint_that_cannot_be_asked_has_no_alarm(url: str) -> None:
    assert read_alarm(url, within=0.2) == ""
