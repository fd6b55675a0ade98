"""Certificates: an authority that signs leaves, and the files they become.

Keys are ECDSA P-256: a lab issues about forty certificates on the path to its first API call, and RSA 3072, which
upstream's scripts use, costs a tenth of a second or more of CPU each. Everything is valid from an hour ago, so that a clock that
is a little off does no harm, and for a year: labs are short.
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.run import write_private
from lab.yaml_text import dump_yaml

YEAR = dt.timedelta(days=365)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key as files; the key is 0600."""

    cert: Path
    key: Path


def generate_key() -> ec.EllipticCurvePrivateKey:
    """Return a fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def encode_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key in SEC1 form ("EC PRIVATE KEY"): kube-controller-manager's signer and Karmada's client-go read it."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())


@dataclass(frozen=True)
class Authority:
    """A certificate authority kept in a folder as `<name>.crt` and `<name>.key`."""

    folder: Path
    name: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    @classmethod
    def ensure(cls, folder: Path, name: str, *, common_name: str) -> Authority:
        """Return the authority of that folder; create it if it does not exist."""
        cert, key_file = folder / f"{name}.crt", folder / f"{name}.key"
        if cert.exists() and key_file.exists():
            key = serialization.load_pem_private_key(key_file.read_bytes(), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)  # RSA: an authority that was given
            return cls(folder, name, x509.load_pem_x509_certificate(cert.read_bytes()), key)
        key = generate_key()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate = (
            start_certificate(subject, subject, key.public_key(), valid=10 * YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(make_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_private(key_file, encode_key(key))
        write_private(cert, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        return cls(folder, name, certificate, key)

    @property
    def cert(self) -> Path:
        """The CA certificate's file."""
        return self.folder / f"{self.name}.crt"

    @property
    def key_file(self) -> Path:
        return self.folder / f"{self.name}.key"

    def issue(
        self,
        name: str,
        *,
        common_name: str,
        organisations: Sequence[str] = (),
        hosts: Sequence[str] = (),
        valid: dt.timedelta = YEAR,
        renew: bool = False,
    ) -> Pair:
        """Sign a leaf `<name>.crt` with key `<name>.key` in this folder, for client and server use, and return the files.

        `hosts` are DNS names (a leading `*.` is allowed) or IP addresses. A pair that is there with the same hosts, and
        valid for another day, is returned as it is, unless `renew`.
        """
        pair = Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        names = [x509.IPAddress(ipaddress.ip_address(host)) if is_address(host) else x509.DNSName(host) for host in dict.fromkeys(hosts)]
        if not renew and pair.cert.exists() and pair.key.exists() and is_still_valid(pair.cert, names, self.certificate):
            return pair
        key = generate_key()
        subject = x509.Name(
            [
                *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organisations),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        )
        builder = (
            start_certificate(subject, self.certificate.subject, key.public_key(), valid=valid)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(make_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(make_authority_identifier(self.certificate), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        write_private(pair.key, encode_key(key))
        write_private(pair.cert, builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), mode=0o644)
        return pair


def ensure_service_account_keys(folder: Path) -> Pair:
    """Return `sa.pub` (as `cert`) and `sa.key`, which sign and check ServiceAccount tokens; create them if they do not exist."""
    pair = Pair(folder / "sa.pub", folder / "sa.key")
    if not (pair.cert.exists() and pair.key.exists()):
        key = generate_key()
        write_private(pair.key, encode_key(key))
        public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        write_private(pair.cert, public, mode=0o644)
    return pair


def write_kubeconfig(path: Path, *, context: str, server: str, ca: Path, client: Pair, name: str | None = None) -> Path:
    """Write a kubeconfig of one context with everything inside it, mode 0600, and return its path.

    With `name`, the server's certificate must hold that name instead of the host of `server`: no resolver is needed.
    """

    def inlined(file: Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": inlined(ca), **({"tls-server-name": name} if name else {})}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": cluster}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "users": [{"name": context, "user": {"client-certificate-data": inlined(client.cert), "client-key-data": inlined(client.key)}}],
    }
    write_private(path, dump_yaml(document).encode())
    return path


def start_certificate(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, *, valid: dt.timedelta
) -> x509.CertificateBuilder:
    """Return a certificate with names, serial and validity, to be extended and signed."""
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + valid)
    )


def make_authority_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return how a certificate names its issuer's key: as the issuer itself does, or OpenSSL does not find the one for the other."""
    try:
        known = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]  # RSA or EC: of a CA
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)


def make_key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return the key usage of an authority or of a leaf."""
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def is_address(host: str) -> bool:
    """Tell an IP address from a DNS name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_still_valid(path: Path, names: Sequence[x509.GeneralName], issuer: x509.Certificate) -> bool:
    """Tell whether a certificate has exactly these names, this issuer, and at least a day of validity left."""
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    try:
        has = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        has = []
    lasts = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):  # an authority of the same name with another key
        return False
    return has == list(names) and lasts > dt.timedelta(days=1)
