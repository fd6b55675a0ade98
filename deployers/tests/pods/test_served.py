"""Which port of a pod a Service means, and when servers present new certificates."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from deployers.pods import served
from deployers.pods.held_keys import fingerprint
from deployers.pods.served import port_of, wait_presented
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


def test_a_server_with_a_former_certificate_or_without_tls_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    former = x509.load_pem_x509_certificate(Authority.ensure(tmp_path, "ca", common_name="ca").cert.read_bytes())
    host = Cluster("host", "host", tmp_path / "none")
    monkeypatch.setattr(served, "PRESENTED_WITHIN", 0.0)
    monkeypatch.setattr(served, "served_certificates", lambda _: {"webhook:443": [former]})
    wait_presented(host, ["webhook:443"], [])
    with pytest.raises(NotReady, match="old"):
        wait_presented(host, ["webhook:443"], [fingerprint(former)])
    with pytest.raises(NotReady, match="no TLS"):
        wait_presented(host, ["search:443"], [])
