"""When the certificates of Karmada's etcd expire."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cryptography import x509

RENEW_BEFORE = dt.timedelta(days=30)
"""A certificate that ends sooner is a problem that `health` names."""


def certificate_expiries(pki: Path) -> dict[str, dt.datetime]:
    """Return when each certificate that has to do with etcd ends, by its file's name."""
    files = [*pki.glob("etcd-*.crt"), *pki.glob("*-etcd-client.crt")]
    return {file.stem: x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc for file in sorted(files)}
