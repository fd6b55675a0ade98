"""Certificates of a control plane are renewed in time, and whoever reads its own only once is started again."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers.by_binary.installation import BinaryInstallation, make_layout
from deployers.day2 import renew_certificates
from deployers.karmada import Karmada
from deployers.plane import pending_operation
from deployers.tests.control_plane_fakes import a_karmada
from lab import ports
from lab.tests.assets_fakes import Anything


@pytest.fixture
def karmada(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Karmada:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")
    karmada = a_karmada(tmp_path, {"certificates": {"days": 10}})
    plane = BinaryInstallation(karmada, make_layout(karmada, Anything()))
    plane.identity()
    monkeypatch.setattr(renew_certificates, "open_plane", lambda _: plane)
    monkeypatch.setattr(renew_certificates, "renew_etcd", lambda _, before: {})
    return karmada


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    done: dict[str, list[str]] = {"again": [], "presented": []}
    monkeypatch.setattr(renew_certificates, "restart_component", lambda _, part: done["again"].append(part.name.removeprefix("karmada/")))
    monkeypatch.setattr(renew_certificates, "wait_presented", lambda _, instance: done["presented"].append(instance))
    return done


def test_what_does_not_end_soon_is_left_alone(karmada: Karmada, done: dict[str, list[str]]) -> None:
    assert renew_certificates.renew_all(karmada, before=dt.timedelta(days=9)) == {}
    assert done == {"again": [], "presented": []}


def test_everybody_gets_a_new_one_and_api_servers_and_etcd_run_on(karmada: Karmada, done: dict[str, list[str]]) -> None:
    def held() -> Any:
        return yaml.safe_load(karmada.kubeconfig.read_text())["users"][0]["user"]["client-certificate-data"]

    before = held()

    renewed = renew_certificates.renew_all(karmada, before=dt.timedelta(days=11))

    assert {"client", "karmada-apiserver", "karmada-webhook", "karmada-scheduler-client", "front-proxy-client"} <= renewed.keys()
    assert not {name for name in renewed if "etcd" in name}
    assert held() != before
    assert "karmada-scheduler" in done["again"]
    assert not {"etcd", "karmada-apiserver"} & set(done["again"])
    assert {"karmada-apiserver", "karmada-webhook"} <= set(done["presented"])
    assert pending_operation.facts_of(karmada.run, renew_certificates.WHAT) is None


def test_an_interrupted_renewal_is_gone_on_with(karmada: Karmada, done: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(renew_certificates, "restart_component", interrupted)
        with pytest.raises(KeyboardInterrupt):
            renew_certificates.renew_all(karmada, before=dt.timedelta(days=9, hours=30))
    assert pending_operation.facts_of(karmada.run, renew_certificates.WHAT)

    renewed = renew_certificates.renew_all(karmada, before=dt.timedelta(days=1))

    assert "karmada-webhook" in renewed
    assert "karmada-webhook" in done["again"]
