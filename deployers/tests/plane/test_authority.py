"""A given authority: what every program takes is accepted, all else is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from deployers.plane.authority import authority_errors, read_authority
from deployers.tests.authority_fakes import DAY, NOW, P256, PEM, PKCS8, PLAIN, certificate, given, paths
from lab.errors import UsageError
from lab.pki import make_key_usage

TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL
OTHER = ec.generate_private_key(ec.SECP256R1())
BAD: dict[str, Callable[[], Any]] = {
    "RSA 1024": lambda: rsa.generate_private_key(65537, 1024),
    "P-224": lambda: ec.generate_private_key(ec.SECP224R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "DSA": lambda: dsa.generate_private_key(2048),
}
SIGNING = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=False,
    crl_sign=False,
    key_encipherment=False,
    content_commitment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
CERTIFICATES: dict[str, Callable[[], x509.Certificate]] = {
    "expired": lambda: certificate(end=NOW - DAY / 2),
    "expires within a day": lambda: certificate(end=NOW + DAY / 2),
    "not valid yet": lambda: certificate(start=NOW + DAY),
    "of a server": lambda: certificate(ca=False),
    "without basicConstraints": lambda: certificate(ca=None),
    "without keyCertSign": lambda: certificate(more=[(SIGNING, True)]),
    "for mail only": lambda: certificate(more=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)]),
    "with an unknown critical extension": lambda: certificate(more=[(UNKNOWN, True)]),
    "intermediate": lambda: certificate(name="intermediate", issuer="root", signed_by=OTHER),
    "of its own name, signed by another": lambda: certificate(signed_by=OTHER),
    "without a subject": lambda: certificate(name="", issuer=""),
}


@pytest.mark.parametrize("kind", BAD)
def test_keys_that_some_program_does_not_take(tmp_path: Path, kind: str) -> None:
    key = BAD[kind]()
    assert set(paths(given(tmp_path, certificate(key), key))) == {".cert", ".key"}


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_certificates_that_cannot_sign(tmp_path: Path, kind: str) -> None:
    assert paths(given(tmp_path, CERTIFICATES[kind]())) == [".cert"]


def test_extensions_that_do_no_harm(tmp_path: Path) -> None:
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    more = [(make_key_usage(signs_certificates=True), True), (both, False), (UNKNOWN, False)]
    assert paths(given(tmp_path, certificate(more=more))) == []


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    assert paths(given(tmp_path, certificate(), OTHER)) == [".key"]


@pytest.mark.parametrize(
    "key",
    [
        P256.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"x")),
        P256.private_bytes(PEM, TRADITIONAL, serialization.BestAvailableEncryption(b"x")),
        P256.private_bytes(serialization.Encoding.DER, PKCS8, PLAIN),
        P256.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        certificate().public_bytes(PEM),
    ],
)
def test_files_that_hold_no_plain_key(tmp_path: Path, key: bytes) -> None:
    assert paths(given(tmp_path, certificate(), key)) == [".key"]


@pytest.mark.parametrize(
    "cert",
    [
        certificate().public_bytes(serialization.Encoding.DER),
        certificate().public_bytes(PEM) * 2,
        P256.private_bytes(PEM, PKCS8, PLAIN),
        b"",
        b"\xff\xfe",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ],
)
def test_files_that_hold_not_one_certificate(tmp_path: Path, cert: bytes) -> None:
    assert paths(given(tmp_path, cert)) == [".cert"]


def test_texts_around_a_certificate_and_parameters_before_a_key(tmp_path: Path) -> None:
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    pair = given(
        tmp_path, b"Certificate:\n    Data:\n" + certificate().public_bytes(PEM), parameters + P256.private_bytes(PEM, TRADITIONAL, PLAIN)
    )

    assert paths(pair) == []
    cert, key = read_authority(pair)
    assert cert.startswith(b"-----BEGIN CERTIFICATE-----")
    assert key.startswith(b"-----BEGIN EC PRIVATE KEY-----")


def test_all_faults_of_both_files_at_once(tmp_path: Path) -> None:
    pair = given(tmp_path, certificate(ca=False, end=NOW - DAY / 2, name="a", issuer="b", signed_by=OTHER), b"")
    assert paths(pair) == [".cert", ".cert", ".cert", ".key"]
    with pytest.raises(UsageError):
        read_authority(pair)


def test_names_that_an_authority_may_not_sign_for(tmp_path: Path) -> None:
    bounds = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.test")], excluded_subtrees=None)
    pair = given(tmp_path, certificate(more=[(bounds, True)]))

    assert authority_errors(pair, ["a.example.test", "127.0.0.1"]) == []
    (problem,) = authority_errors(pair, ["a.example.org", "a.example.test"])
    assert problem.path == ".cert"
    assert "a.example.org" in problem.why
