"""Certificates of etcd and of its clients, and when each ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from deployers.etcd.expiry import certificate_expiries
from lab.pki import Authority


def test_certificates_of_etcd_and_its_clients_are_listed_and_no_others(tmp_path: Path) -> None:
    authority = Authority.ensure(tmp_path, "ca", common_name="karmada")
    for name in ("etcd-server", "karmada-apiserver-etcd-client", "karmada-apiserver"):
        authority.issue(name, common_name=name)

    ends = certificate_expiries(tmp_path)

    assert list(ends) == ["etcd-server", "karmada-apiserver-etcd-client"]
    assert all(end > datetime.now(UTC) + timedelta(days=1) for end in ends.values())
