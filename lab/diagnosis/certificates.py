"""Causes in the certificates of a lab: expired, or not valid yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from lab.diagnosis.cause import Cause, Rank
from lab.hints import command
from lab.run import Run


def find_certificate_causes(run: Run, *, now: datetime | None = None) -> Iterator[Cause]:
    """Yield a cause for each certificate file of the lab that is not valid now."""
    at = now or datetime.now(UTC)
    for path in sorted((run.path / "pki").rglob("*.crt")):
        if why := validity_error(path, at):
            yield Cause(Rank.CERTIFICATE, f"certificate {path.relative_to(run.path)} {why}", command("renew", lab=run.id), blocking=True)


def validity_error(path: Path, at: datetime) -> str:
    """Return why a certificate file cannot be used at this time; "" when it can, or when it holds no certificate."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return ""
    if at > certificate.not_valid_after_utc:
        return f"expired at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC"
    if at < certificate.not_valid_before_utc:
        return f"is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC, and it is {at:%H:%M:%S} here"
    return ""
