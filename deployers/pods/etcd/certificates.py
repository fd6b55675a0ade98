"""Certificates of the lab's own etcd in pods: two authorities, one for its clients and one for its peers, and the Secrets of both.

A client of etcd, as karmada-apiserver is, has no certificate of the peers' authority: it cannot become a member. The certificate by which
a member calls another names no host: etcd would look each name up backwards, which headless Services answer late or never.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from deployers.names import LOOPBACK, NAMESPACE
from deployers.plane.certificates import LeafCertificate, pair
from deployers.pods.etcd.names import CLIENT, DOMAIN, ETCD, PEER_SECRET, SERVER_SECRET
from lab.pki import Authority
from lab.run import Run

Json = dict[str, Any]
CLIENTS, PEERS = "etcd-ca", "etcd-peer-ca"
MEMBER_HOSTS = (f"*.{ETCD}.{DOMAIN}",)
SERVER_HOSTS = (*MEMBER_HOSTS, f"{CLIENT}.{DOMAIN}", f"{CLIENT}.{NAMESPACE}.svc", CLIENT, "localhost", LOOPBACK)
CALLER = "karmada-apiserver-etcd-client"
"""The pair by which Karmada reads and writes."""
LEAVES = (
    LeafCertificate("etcd-server", "system:karmada:etcd-server", hosts=SERVER_HOSTS, authority=CLIENTS),
    LeafCertificate("etcd-client", "system:karmada:etcd-etcd-client", authority=CLIENTS),
    LeafCertificate(CALLER, f"system:karmada:{CALLER}", authority=CLIENTS),
    LeafCertificate("etcd-peer", "system:karmada:etcd-peer", hosts=MEMBER_HOSTS, authority=PEERS),
    LeafCertificate("etcd-peer-client", "system:karmada:etcd-peer", authority=PEERS),
)


def pki_folder(run: Run, plane: str) -> Path:
    """Return where a run keeps the keys of its own etcd in pods; they go with the control plane's."""
    return run.path / "pki" / plane / "etcd"


def make_certificates(folder: Path, *, days: int, renew: Collection[str] = ()) -> None:
    """Make the authorities and leaves in a folder; keep those that are there, but for the leaves to renew."""
    authorities = {name: Authority.ensure(folder, name, common_name=name) for name in (CLIENTS, PEERS)}
    for leaf in LEAVES:
        valid = dt.timedelta(days=days)
        authorities[leaf.authority].issue(leaf.name, common_name=leaf.common_name, hosts=leaf.hosts, valid=valid, renew=leaf.name in renew)


def secrets(folder: Path) -> list[Json]:
    """Return the Secrets that etcd's pods mount."""
    server, peer, caller = (pair(folder, name) for name in ("etcd-server", "etcd-peer", "etcd-peer-client"))
    return [
        secret(SERVER_SECRET, {"ca.crt": folder / f"{CLIENTS}.crt", "tls.crt": server.cert, "tls.key": server.key}),
        secret(
            PEER_SECRET,
            {
                "ca.crt": folder / f"{PEERS}.crt",
                "tls.crt": peer.cert,
                "tls.key": peer.key,
                "client.crt": caller.cert,
                "client.key": caller.key,
            },
        ),
    ]


def secret(name: str, files: Mapping[str, Path]) -> Json:
    """Return a Secret of files."""
    data = {key: b64encode(path.read_bytes()).decode() for key, path in files.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "data": data}
