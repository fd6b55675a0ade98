"""A successor is like its certificate in all but key, serial and authority."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lab.pki import Authority
from lab.reissue import encode, find_issuer, is_authority, load_key, make_key_like, reissue_authority, reissue_leaf, successor_name


def make(folder: Path) -> tuple[Authority, x509.Certificate]:
    authority = Authority.ensure(folder, "ca", common_name="karmada")
    made = authority.issue("leaf", common_name="server", organisations=["system:masters"], hosts=["localhost", "127.0.0.1"])
    return authority, x509.load_pem_x509_certificate(made.cert.read_bytes())


def test_a_leafs_successor_has_its_names_and_uses(tmp_path: Path) -> None:
    authority, former = make(tmp_path)
    key = make_key_like(former)

    made = reissue_leaf(former, key, issuer=authority.certificate, signer=authority.key, valid=dt.timedelta(days=3))

    assert made.subject == former.subject
    for kind in (x509.SubjectAlternativeName, x509.KeyUsage, x509.ExtendedKeyUsage, x509.BasicConstraints):
        assert made.extensions.get_extension_for_class(kind) == former.extensions.get_extension_for_class(kind)
    assert made.serial_number != former.serial_number
    assert made.public_key() == key.public_key() != former.public_key()
    assert dt.timedelta(days=2) < made.not_valid_after_utc - dt.datetime.now(dt.UTC) < dt.timedelta(days=4)
    assert find_issuer(made, [authority.certificate]) == authority.certificate
    assert not is_authority(made)


def test_an_authoritys_successor_is_another_one_of_another_name(tmp_path: Path) -> None:
    authority, former = make(tmp_path)

    made, key = reissue_authority(authority.certificate)

    assert is_authority(made)
    assert made.subject != authority.certificate.subject
    assert find_issuer(made, [authority.certificate]) is None
    assert find_issuer(made, [made]) == made
    leaf = reissue_leaf(former, make_key_like(former), issuer=made, signer=load_key(encode(key)), valid=dt.timedelta(days=1))
    assert find_issuer(leaf, [authority.certificate, made]) == made


@pytest.mark.parametrize(("before", "after"), [("karmada", "karmada-2"), ("karmada-2", "karmada-3"), ("-", "--2")])
def test_names_of_successors_are_numbered(before: str, after: str) -> None:
    common = x509.NameOID.COMMON_NAME
    others = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "x")]
    assert successor_name(x509.Name([*others, x509.NameAttribute(common, before)])) == x509.Name(
        [*others, x509.NameAttribute(common, after)]
    )


def test_keys_are_of_the_same_kind(tmp_path: Path) -> None:
    authority, former = make(tmp_path)
    assert isinstance(make_key_like(former), ec.EllipticCurvePrivateKey)
    known = rsa.generate_private_key(65537, 2048)
    of_rsa = reissue_leaf(former, known, issuer=authority.certificate, signer=authority.key, valid=dt.timedelta(days=1))
    made = make_key_like(of_rsa)
    assert isinstance(made, rsa.RSAPrivateKey)
    assert made.key_size == 2048
