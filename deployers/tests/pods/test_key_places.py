"""Keys are read from every place that holds them, and written where they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.karmada import Karmada
from deployers.pods.held_keys import Exchange, fingerprint
from deployers.pods.issued import trusted_authorities
from deployers.pods.key_places import TRUSTING, FilePlace, SecretPlace, all_places, exchange_in_objects
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.host_fakes import Host
from deployers.tests.pod_keys_fakes import chart_host, values_of
from lab.cluster import Cluster
from lab.run import write_private


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    made = chart_host(tmp_path / "keys")
    monkeypatch.setattr(Cluster, "api", property(lambda _: made.api()))
    return made


@pytest.fixture
def karmada(tmp_path: Path, host: Host) -> Karmada:
    return a_karmada(tmp_path / "run", {"deployer": "by_chart", "members": [{"name": "member1", "mode": "pull"}]})


def test_helms_own_history_is_no_place_and_an_agents_secrets_are(karmada: Karmada) -> None:
    names = [place.name for place in all_places(karmada)]
    assert "karmada-cert" in names
    assert "member1/karmada-cert" in names
    assert not [name for name in names if "helm" in name]


def test_folders_of_the_run_and_the_administrators_kubeconfig(karmada: Karmada) -> None:
    write_private(karmada.run.path / "pki" / karmada.name / "etcd" / "ca.key", b"x")
    write_private(karmada.kubeconfig, b"y")
    found = {place.name: place.read() for place in all_places(karmada) if isinstance(place, FilePlace)}
    assert found == {"pki/karmada": {}, "pki/karmada/etcd": {"ca.key": b"x"}, "kubeconfig": {karmada.kubeconfig.name: b"y"}}


def test_files_keep_their_modes(tmp_path: Path) -> None:
    write_private(tmp_path / "a.key", b"x")
    write_private(tmp_path / "a.crt", b"x", mode=0o644)
    FilePlace(tmp_path, "here").write({"a.key": b"y", "a.crt": b"z"})
    assert FilePlace(tmp_path, "here").read() == {"a.crt": b"z", "a.key": b"y"}
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a.key", "a.crt")] == [0o600, 0o644]


def test_a_secret_keeps_its_other_values(host: Host) -> None:
    before = values_of(host, "karmada-webhook-cert")
    SecretPlace(host.api(), "karmada-webhook-cert").write({"tls.key": b"new"})
    assert values_of(host, "karmada-webhook-cert") == {**before, "tls.key": b"new"}
    assert SecretPlace(host.api(), "missing").read() == {}


def test_objects_that_trust_an_authority_trust_its_successor(karmada: Karmada, host: Host) -> None:
    held = {place.name: place.read() for place in all_places(karmada)}
    former, other = (each.certificate for each in trusted_authorities(karmada, held))
    exchange = Exchange({fingerprint(former): values_of(host, "karmada-cert")["front-proxy-ca.crt"]})
    assert exchange_in_objects(host.api(), exchange) == [f"{TRUSTING[0]}/mutating-config"]
    assert exchange_in_objects(host.api(), exchange) == []
    assert other
