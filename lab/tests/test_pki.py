"""Certificates: what is issued verifies, what is there is kept, what no longer fits is issued again."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from lab.kube_access import make_tls_context, read_access
from lab.pki import Authority, ensure_service_account_keys, write_kubeconfig


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_leaf_is_signed_by_its_authority_and_carries_its_names(tmp_path: Path) -> None:
    ca = Authority.ensure(tmp_path, "ca", common_name="lab")

    pair = ca.issue("server", common_name="server", organisations=["o"], hosts=["localhost", "127.0.0.1", "*.svc"])

    leaf = load(pair.cert)
    leaf.verify_directly_issued_by(ca.certificate)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "*.svc"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600


def test_a_second_ensure_returns_the_same_authority(tmp_path: Path) -> None:
    first = Authority.ensure(tmp_path, "ca", common_name="lab")

    assert Authority.ensure(tmp_path, "ca", common_name="lab").certificate == first.certificate


def test_a_leaf_that_fits_is_kept(tmp_path: Path) -> None:
    ca = Authority.ensure(tmp_path, "ca", common_name="lab")
    before = ca.issue("server", common_name="server", hosts=["a"]).cert.read_bytes()

    assert ca.issue("server", common_name="server", hosts=["a"]).cert.read_bytes() == before


def test_a_leaf_with_other_names_is_reissued(tmp_path: Path) -> None:
    ca = Authority.ensure(tmp_path, "ca", common_name="lab")
    before = ca.issue("server", common_name="server", hosts=["a"]).cert.read_bytes()

    assert ca.issue("server", common_name="server", hosts=["a", "b"]).cert.read_bytes() != before


def test_a_leaf_that_is_about_to_expire_is_reissued(tmp_path: Path) -> None:
    ca = Authority.ensure(tmp_path, "ca", common_name="lab")
    before = ca.issue("server", common_name="server", valid=dt.timedelta(hours=2)).cert.read_bytes()

    assert ca.issue("server", common_name="server").cert.read_bytes() != before


def test_a_leaf_of_another_authority_with_the_same_name_is_reissued(tmp_path: Path) -> None:
    before = Authority.ensure(tmp_path, "ca", common_name="lab").issue("server", common_name="server").cert.read_bytes()
    (tmp_path / "ca.crt").unlink()

    assert Authority.ensure(tmp_path, "ca", common_name="lab").issue("server", common_name="server").cert.read_bytes() != before


def test_a_kubeconfig_is_private_and_loads(tmp_path: Path) -> None:
    ca = Authority.ensure(tmp_path, "ca", common_name="lab")
    path = write_kubeconfig(
        tmp_path / "k.yaml", context="member1", server="https://127.0.0.1:1", ca=ca.cert, client=ca.issue("admin", common_name="admin")
    )

    document = yaml.safe_load(path.read_text())
    context = make_tls_context(tmp_path, document["clusters"][0]["cluster"], document["users"][0]["user"])

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert document["current-context"] == "member1"


def test_service_account_keys_are_made_once(tmp_path: Path) -> None:
    before = ensure_service_account_keys(tmp_path).key.read_bytes()

    assert ensure_service_account_keys(tmp_path).key.read_bytes() == before


def test_a_server_is_held_to_the_name_in_the_kubeconfig_whatever_its_address(tmp_path: Path) -> None:
    ca = Authority.ensure(tmp_path, "ca", common_name="lab")
    server, client = ca.issue("server", common_name="server", hosts=["karmada.example.test"]), ca.issue("client", common_name="client")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(str(server.cert), str(server.key))

    def handshake(name: str | None) -> None:
        file = write_kubeconfig(tmp_path / "kubeconfig", context="a", server="https://127.0.0.1:1", ca=ca.cert, client=client, name=name)
        here, there = socket.socketpair()
        with here, there, ThreadPoolExecutor(1) as pool:
            answering = pool.submit(serving.wrap_socket, there, server_side=True)
            try:
                read_access(file).tls.wrap_socket(here, server_hostname="127.0.0.1").close()
            finally:
                here.close()
                with contextlib.suppress(OSError):
                    answering.result().close()

    handshake("karmada.example.test")
    for other in ("karmada.example.org", None):
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(other)
