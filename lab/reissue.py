"""Successors of certificates: the same subject, names and uses, another key and serial, signed by an authority that may be another one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lab.pki import make_authority_identifier, start_certificate

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
OWN = (x509.AuthorityKeyIdentifier, x509.SubjectKeyIdentifier)
"""Extensions that name keys: they are made again."""


def make_key_like(former: x509.Certificate) -> SigningKey:
    """Return a new key of the same kind and size as that of a certificate."""
    public = former.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return rsa.generate_private_key(65537, public.key_size)
    return ec.generate_private_key(public.curve if isinstance(public, ec.EllipticCurvePublicKey) else ec.SECP256R1())


def encode(key: SigningKey) -> bytes:
    """Return a private key in the traditional form, which every reader of Karmada's takes."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())


def load_key(pem: bytes) -> SigningKey:
    """Return a private key, RSA or ECDSA: authorities have no other."""
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    return key


def reissue_leaf(
    former: x509.Certificate, key: SigningKey, *, issuer: x509.Certificate, signer: SigningKey, valid: dt.timedelta
) -> x509.Certificate:
    """Return the successor of a leaf for this key, valid from an hour ago."""
    builder = start_certificate(former.subject, issuer.subject, key.public_key(), valid=valid)
    for each in former.extensions:
        if not isinstance(each.value, OWN):
            builder = builder.add_extension(each.value, critical=each.critical)
    return builder.add_extension(make_authority_identifier(issuer), critical=False).sign(signer, hashes.SHA256())


def reissue_authority(former: x509.Certificate) -> tuple[x509.Certificate, SigningKey]:
    """Return the successor of an authority, which signs itself and is valid as long, and its key.

    Its subject has a number at the end: of two authorities with one name a reader may try the wrong one alone.
    """
    key = make_key_like(former)
    valid = former.not_valid_after_utc - former.not_valid_before_utc
    subject = successor_name(former.subject)
    builder = start_certificate(subject, subject, key.public_key(), valid=valid)
    for each in former.extensions:
        if not isinstance(each.value, OWN):
            builder = builder.add_extension(each.value, critical=each.critical)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256()), key


def successor_name(name: x509.Name) -> x509.Name:
    """Return the name of an authority's successor: its common name ends in -2, -3 and so on."""
    common = x509.NameOID.COMMON_NAME

    def following(text: str) -> str:
        stem, _, number = text.rpartition("-")
        return f"{stem}-{int(number) + 1}" if stem and number.isdigit() else f"{text}-2"

    return x509.Name([x509.NameAttribute(common, following(str(each.value))) if each.oid == common else each for each in name])


def find_issuer(certificate: x509.Certificate, authorities: Iterable[x509.Certificate]) -> x509.Certificate | None:
    """Return which of the authorities signed a certificate, or None."""
    return next((each for each in authorities if is_issued_by(certificate, each)), None)


def is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Return whether an authority signed a certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def is_authority(certificate: x509.Certificate) -> bool:
    """Return whether a certificate may sign others."""
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False
