"""Which port of a pod a Service means, and when servers present new certificates."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from deployers.pods import served
from deployers.pods.held_keys import fingerprint
from deployers.pods.served import port_of, wait_presented
from deployers.tests.host_fakes import SYSTEM, Host, deployment, pod
from lab.cluster import Cluster
from lab.errors import NotReady
from lab.pki import Authority

POD = {"spec": {"containers": [{"ports": [{"name": "https", "containerPort": 8443}]}]}}


@pytest.mark.parametrize(("port", "number"), [({"port": 443, "targetPort": 5443}, 5443), ({"port": 443}, 443)])
def test_a_port_by_its_number(port: dict[str, int], number: int) -> None:
    assert port_of(POD, port) == number


def test_a_port_by_its_name() -> None:
    assert port_of(POD, {"port": 443, "targetPort": "https"}) == 8443
    assert port_of(POD, {"port": 443, "targetPort": "other"}) is None


def test_the_ports_of_the_chosen_components_alone_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = x509.load_pem_x509_certificate(Authority.ensure(tmp_path, "ca", common_name="ca").cert.read_bytes())
    host = Host(*(deployment(name, [name]) for name in ("etcd", "karmada-webhook")), pods=[pod("etcd"), pod("karmada-webhook")])
    services = [
        {"metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": [{"port": 1, "targetPort": 2}]}}
        for name in ("etcd", "karmada-webhook")
    ]
    services.append({"metadata": {"name": "external"}, "spec": {"ports": [{"port": 1}]}})
    host.lists[f"/api/v1/namespaces/{SYSTEM}/services"] = services
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(Cluster, "api", property(lambda _: host.api()))

    def present(_: Cluster, name: str, port: int) -> x509.Certificate:
        asked.append((name, port))
        return shown

    monkeypatch.setattr(served, "shake_hands", present)

    assert served.served_certificates(Cluster("host", "host", tmp_path / "none"), ["etcd"]) == {"etcd:1": [shown]}
    assert asked == [("etcd-0", 2)]


def test_a_server_with_a_former_certificate_or_without_tls_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    former = x509.load_pem_x509_certificate(Authority.ensure(tmp_path, "ca", common_name="ca").cert.read_bytes())
    host = Cluster("host", "host", tmp_path / "none")
    monkeypatch.setattr(served, "PRESENTED_WITHIN", 0.0)
    monkeypatch.setattr(served, "served_certificates", lambda *_: {"etcd:2379": [former]})
    wait_presented(host, ["etcd"], ["etcd:2379"], [])
    with pytest.raises(NotReady, match="old"):
        wait_presented(host, ["etcd"], ["etcd:2379"], [fingerprint(former)])
    with pytest.raises(NotReady, match="no TLS"):
        wait_presented(host, ["etcd"], ["other:1"], [])
