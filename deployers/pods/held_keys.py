"""Certificates and keys wherever text holds them: in PEM, in a kubeconfig, in the fields of an API object. Pure.

Each installer has names of its own for its Secrets and for what is in them. A certificate is known by its fingerprint and a key by its
public half, so that one exchange serves all of them.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from deployers.pods.keys import public_key
from lab.kubeconfig import load_document
from lab.yaml_text import dump_yaml

Json = dict[str, Any]
CERTIFICATE, PRIVATE = b"-----BEGIN CERTIFICATE-----", b"PRIVATE KEY-----"
INLINED = "-data"
"""The end of a kubeconfig's keys with values in base64."""
BUNDLE = "caBundle"
"""The key of an API object with a value in base64: of webhooks, conversions and APIServices."""


def fingerprint(certificate: x509.Certificate) -> bytes:
    """Return what a certificate is known by."""
    return certificate.fingerprint(hashes.SHA256())


@dataclass(frozen=True)
class Exchange:
    """Which certificates and keys take the place of which: by fingerprint, and by public half. An empty successor takes one away."""

    certificates: Mapping[bytes, bytes] = field(default_factory=dict)
    keys: Mapping[bytes, bytes] = field(default_factory=dict)

    def changed(self, values: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return those of the values that change, as they are then. A key is exchanged beside a certificate of its own or alone."""
        return {key: after for key, before in values.items() if (after := self.text(before)) != before}

    def text(self, text: bytes) -> bytes:
        """Return a text after the exchange; one with nothing to exchange is returned as it is."""
        if CERTIFICATE in text:
            return self.pem(text)
        if PRIVATE in text:
            return self.keys.get(half, text) if (half := half_of(text)) else text
        if is_kubeconfig(text):
            before = load_document(text)
            after = self.document(before)
            return text if after == before else dump_yaml(after).encode()
        return text

    def pem(self, text: bytes) -> bytes:
        """Return PEM after the exchange: each certificate once."""
        found = certificates_in(text)
        if not any(fingerprint(each) in self.certificates for each in found):
            return text
        parts = [self.certificates.get(fingerprint(each), each.public_bytes(Encoding.PEM)) for each in found]
        single = [each.public_bytes(Encoding.PEM) for part in parts for each in certificates_in(part)]
        return b"".join(dict.fromkeys(single))

    def document(self, document: Any) -> Any:
        """Return a kubeconfig or an API object after the exchange."""
        if isinstance(document, Mapping):
            return {key: self.field(str(key), value) for key, value in document.items()}
        return [self.document(each) for each in document] if isinstance(document, list) else document

    def field(self, key: str, value: Any) -> Any:
        """Return one field of a document after the exchange: base64, a kubeconfig as text, or more of the document."""
        if not isinstance(value, str):
            return self.document(value)
        if key == BUNDLE or key.endswith(INLINED):
            before = decode(value)
            after = self.text(before)
            return value if after == before else b64encode(after).decode()
        return self.text(value.encode()).decode() if is_kubeconfig(value.encode()) else value


def certificates_in(text: bytes) -> list[x509.Certificate]:
    """Return the certificates of PEM, in their order; none of what cannot be read as such."""
    try:
        return x509.load_pem_x509_certificates(text) if CERTIFICATE in text else []
    except ValueError:
        return []


def half_of(text: bytes) -> bytes | None:
    """Return the public half of a private key, or None when the text cannot be read as one."""
    try:
        return public_key(text)
    except (ValueError, TypeError):
        return None


def is_kubeconfig(text: bytes) -> bool:
    """Return whether a text is a kubeconfig with something inlined."""
    if b"kind: Config" not in text or INLINED.encode() not in text:
        return False
    try:
        return "clusters" in load_document(text)
    except (yaml.YAMLError, TypeError):
        return False


def decode(value: str) -> bytes:
    """Return what base64 holds, nothing for other text."""
    try:
        return b64decode(value, validate=True)
    except (NotBase64, ValueError):
        return b""


def pems_in(text: bytes) -> Iterator[bytes]:
    """Yield every PEM text in a value: itself, or what a kubeconfig holds."""
    if CERTIFICATE in text or PRIVATE in text:
        yield text
    elif is_kubeconfig(text):
        document = load_document(text)
        for part, of in (("clusters", "cluster"), ("users", "user")):
            for entry in document.get(part) or []:
                inlined = {key: value for key, value in (entry.get(of) or {}).items() if key.endswith(INLINED)}
                yield from filter(None, (decode(str(value)) for value in inlined.values()))
