"""The keys of the lab's own etcd: two authorities, leaves that stay, and the Secrets that pods mount."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

from cryptography import x509

from deployers.pods.etcd.certificates import CLIENTS, LEAVES, PEERS, make_certificates, secrets
from deployers.pods.etcd.names import SERVER
from lab.pki import is_address


def read(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def names_of(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name) for name in found.get_values_for_type(x509.DNSName)]


def test_no_client_of_etcd_has_a_certificate_of_the_peers_authority(tmp_path: Path) -> None:
    make_certificates(tmp_path, days=30)

    issuers = {leaf.name: read(tmp_path, leaf.name).issuer for leaf in LEAVES}
    peers = {name for name, issuer in issuers.items() if issuer == read(tmp_path, PEERS).subject}
    assert peers == {"etcd-peer", "etcd-peer-client"}
    assert read(tmp_path, CLIENTS).subject != read(tmp_path, PEERS).subject


def test_the_server_is_known_by_the_address_that_karmada_has(tmp_path: Path) -> None:
    make_certificates(tmp_path, days=30)
    host = SERVER.removeprefix("https://").rpartition(":")[0]

    assert not is_address(host)
    assert host in names_of(read(tmp_path, "etcd-server"))
    assert names_of(read(tmp_path, "etcd-peer-client")) == [], "etcd looks names up backwards"


def test_what_is_there_stays_but_for_what_is_to_be_renewed(tmp_path: Path) -> None:
    make_certificates(tmp_path, days=30)
    before = {leaf.name: read(tmp_path, leaf.name).serial_number for leaf in LEAVES}
    make_certificates(tmp_path, days=30, renew=["etcd-peer"])

    changed = {leaf.name for leaf in LEAVES if read(tmp_path, leaf.name).serial_number != before[leaf.name]}
    assert changed == {"etcd-peer"}


def test_a_secret_holds_no_key_of_an_authority(tmp_path: Path) -> None:
    make_certificates(tmp_path, days=30)
    held = {b64decode(value) for secret in secrets(tmp_path) for value in secret["data"].values()}

    assert {(tmp_path / f"{name}.crt").read_bytes() for name in (CLIENTS, PEERS)} <= held
    assert not {(tmp_path / f"{name}.key").read_bytes() for name in (CLIENTS, PEERS)} & held
