"""Check a given certificate authority before anything is created: whether it can sign for Karmada.

Accepted is what every program of Karmada takes, each of which loads it in its own way: Go's crypto/x509, OpenSSL (the lab's own clients,
haproxy), kube-controller-manager's signer, which wants exactly one certificate, and client-go, which reads RSA and ECDSA keys.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from deployers.spec import KeyPair
from lab.errors import UsageError
from lab.pki import is_address
from lab.preflight import Problem

CURVES = ("secp256r1", "secp384r1", "secp521r1")
KEY_BITS = (2048, 8192)
"""Of RSA keys: Go refuses smaller ones than 1024 and TLS with larger ones than 8192; 2048 is what CAs are held to."""
KEYS = "give an RSA key of 2048 to 8192 bits or an ECDSA key of P-256, P-384 or P-521"
REMEDY = "give a root certificate and its unencrypted key, both PEM"
BEGIN = b"-----BEGIN "
SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def authority_errors(given: KeyPair, names: Sequence[str] = ()) -> list[Problem]:
    """Return why a given authority cannot sign certificates for these names; paths are those inside `certificates.ca`."""
    found = [*file_errors(given.cert, ".cert"), *file_errors(given.key, ".key")]
    certificate: x509.Certificate | None = None
    key: object = None
    if not any(problem.path == ".cert" for problem in found):
        try:
            certificate = certificate_of(given.cert.read_bytes())
            found += [Problem(".cert", f"{given.cert} {why}", REMEDY) for why in certificate_errors(certificate, names)]
        except ValueError as error:
            found.append(Problem(".cert", f"{given.cert} {error}", REMEDY))
    if not any(problem.path == ".key" for problem in found):
        try:
            key = key_of(given.key.read_bytes())
        except ValueError as error:
            found.append(Problem(".key", f"{given.key} {error}", KEYS))
    if certificate and isinstance(key, SigningKey) and key.public_key() != certificate.public_key():
        found.append(Problem(".key", f"{given.key} is not the key of {given.cert}", "give the certificate's own key"))
    return found


def file_errors(path: Path, at: str = "") -> Iterator[Problem]:
    """Yield why a file that a spec names cannot be read."""
    if path.is_file():
        try:
            path.open("rb").close()
        except OSError as error:
            yield Problem(at, f"{path} cannot be read: {error.strerror}", "make it readable for you")
    else:
        why = "is not a file" if path.exists() else "does not exist"
        yield Problem(at, f"{path} {why}", "a relative path begins where the command is started")


def certificate_of(pem: bytes) -> x509.Certificate:
    """Return the one certificate of a PEM file. ValueError says why there is not exactly one."""
    if BEGIN not in pem:
        raise ValueError("is not PEM" + (": convert it (openssl x509 -inform der)" if pem[:1] == b"\x30" else ""))
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise ValueError(f"holds no readable certificate: {error}") from error
    if len(found) != 1:
        raise ValueError(f"holds {len(found)} certificates: kube-controller-manager signs with a file of exactly one")
    return found[0]


def key_of(pem: bytes) -> SigningKey:
    """Return the key of a PEM file. ValueError says why it cannot sign here."""
    if BEGIN not in pem:
        raise ValueError("is not PEM" + (": convert it (openssl pkey -inform der)" if pem[:1] == b"\x30" else ""))
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError as error:
        raise ValueError("is encrypted: programs have no passphrase for it (openssl pkey -in KEY)") from error
    except ValueError as error:
        raise ValueError(f"holds no private key that can be read: {error}") from error
    except Exception as error:  # cryptography's UnsupportedAlgorithm is not a ValueError
        raise ValueError(f"holds a key of an unsupported kind: {error}") from error
    if why := key_error(key.public_key()):
        raise ValueError(why)
    assert isinstance(key, SigningKey)
    return key


def key_error(public: object) -> str:
    """Return why certificates cannot be signed with a key of this kind, or ""."""
    if isinstance(public, rsa.RSAPublicKey):
        low, high = KEY_BITS
        return "" if low <= public.key_size <= high else f"is an RSA key of {public.key_size} bits"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return "" if public.curve.name in CURVES else f"is an ECDSA key of the curve {public.curve.name}"
    return f"is a key of the kind {type(public).__name__.removesuffix('PublicKey').lstrip('_')}"


def certificate_errors(certificate: x509.Certificate, names: Sequence[str] = ()) -> Iterator[str]:
    """Yield why a certificate is not that of an authority that can sign for these names now."""
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    try:
        if why := key_error(certificate.public_key()):
            yield why
    except Exception as error:  # noqa: BLE001 (a curve or key that cryptography does not know: it has errors of several kinds)
        yield f"has a key of an unsupported kind: {error}"
        return
    if certificate.not_valid_before_utc > now:
        yield f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    if certificate.not_valid_after_utc <= now:
        yield f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    elif certificate.not_valid_after_utc <= now + day:
        yield f"expires within a day, at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    try:
        yield from extension_errors(certificate)
        yield from (name_constraint_errors(certificate, names))
    except ValueError as error:
        yield f"has extensions that cannot be read: {error}"


def extension_errors(certificate: x509.Certificate) -> Iterator[str]:
    """Yield why a certificate may not sign others, and why clients would not take it for a root."""
    extensions = {type(each.value): each for each in certificate.extensions}
    constraints = extensions.get(x509.BasicConstraints)
    if constraints is None or not constraints.value.ca:
        yield "is not an authority's (basicConstraints: CA is not true): it may not sign others"
    usage = extensions.get(x509.KeyUsage)
    if usage is not None and not usage.value.key_cert_sign:
        yield "may not sign others: its keyUsage lacks keyCertSign"
    extended = extensions.get(x509.ExtendedKeyUsage)
    wanted = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    if extended is not None and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in extended.value and not wanted <= set(extended.value):
        yield "may not sign for servers and clients: its extendedKeyUsage is confined to others"
    if any(each.critical and isinstance(each.value, x509.UnrecognizedExtension) for each in certificate.extensions):
        yield "has a critical extension that programs do not know"
    if not list(certificate.subject):
        yield "has no subject, by which those that it signs would name it"
    elif certificate.subject != certificate.issuer:
        yield f"is an intermediate, signed by {certificate.issuer.rfc4514_string()}: clients that use OpenSSL trust a root only"
    else:
        try:
            certificate.verify_directly_issued_by(certificate)
        except (ValueError, TypeError, InvalidSignature):
            yield "names itself as its issuer but is not self-signed"


def name_constraint_errors(certificate: x509.Certificate, names: Sequence[str]) -> list[str]:
    """Return for which of these names an authority may not sign, by its own name constraints (RFC 5280, 4.2.1.10): clients refuse those."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return []

    def within(name: str, subtrees: Sequence[x509.GeneralName]) -> bool:
        if is_address(name):
            return any(isinstance(each, x509.IPAddress) and ip_address(name) in ip_network(str(each.value)) for each in subtrees)
        trees = [each.value.lstrip(".") for each in subtrees if isinstance(each, x509.DNSName)]
        return any(name == tree or name.endswith(f".{tree}") for tree in trees)

    permitted, excluded = found.value.permitted_subtrees or (), found.value.excluded_subtrees or ()

    def refused(name: str) -> bool:
        kind = x509.IPAddress if is_address(name) else x509.DNSName
        bounded = any(isinstance(each, kind) for each in permitted)
        return within(name, excluded) or (bounded and not within(name, permitted))

    bounds = ", ".join([*(str(each.value) for each in permitted), *(f"not {each.value}" for each in excluded)])
    return [f"may not sign for {name}: it is confined to {bounds}" for name in dict.fromkeys(names) if refused(name)]


def read_authority(given: KeyPair) -> tuple[bytes, bytes]:
    """Return a given authority's certificate and key in PEM. UsageError says why they cannot sign certificates."""
    if found := authority_errors(given):
        detail = "\n".join(str(problem) for problem in found)
        raise UsageError("the given authority cannot be used", where="certificates.ca", detail=detail, remedy=REMEDY)
    certificate, key = certificate_of(given.cert.read_bytes()), key_of(given.key.read_bytes())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(*form)
