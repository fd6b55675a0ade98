"""Authorities and leaf certificates that are given to a control plane."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519

from deployers.plane.authority import authority_errors
from deployers.spec import KeyPair

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
P256 = ec.generate_private_key(ec.SECP256R1())


def subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else [])


def certificate(
    key: Any = P256,
    *,
    ca: bool | None = True,
    start: dt.datetime = NOW - DAY,
    end: dt.datetime = NOW + 100 * DAY,
    name: str = "root",
    issuer: str = "root",
    signed_by: Any = None,
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(subject(name)).issuer_name(subject(issuer)).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(start).not_valid_after(end)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    for extension, critical in more:
        builder = builder.add_extension(extension, critical=critical)
    signer = signed_by or key
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
    return builder.sign(signer, algorithm)


def given(folder: Path, cert: bytes | x509.Certificate, key: Any = P256) -> KeyPair:
    (folder / "ca.pem").write_bytes(cert if isinstance(cert, bytes) else cert.public_bytes(PEM))
    (folder / "key.pem").write_bytes(key if isinstance(key, bytes) else key.private_bytes(PEM, PKCS8, PLAIN))
    return KeyPair(cert=folder / "ca.pem", key=folder / "key.pem")


def paths(pair: KeyPair) -> list[str]:
    return [problem.path for problem in authority_errors(pair)]
