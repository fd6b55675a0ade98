"""Names and addresses of the etcd that the lab itself runs as pods of the host cluster."""

from __future__ import annotations

from deployers.names import NAMESPACE
from deployers.spec import KarmadaSpec

ETCD = "etcd"
"""The StatefulSet, the headless Service of its members, and the label `app` of its pods."""
CLIENT = "etcd-client"
"""The Service of the members that can serve; upstream's has the same name."""
MEMBERS = "etcd-members"
"""The ConfigMap with what a member that has no data yet is to begin with."""
SERVER_SECRET, PEER_SECRET = "etcd-server", "etcd-peer"
DOMAIN = f"{NAMESPACE}.svc.cluster.local"
CLIENT_PORT, PEER_PORT, PROBE_PORT = 2379, 2380, 2381
SERVER = f"https://{CLIENT}.{DOMAIN}:{CLIENT_PORT}"
"""The address of etcd for Karmada. It is the same for one member and for three, so that no API server restarts when members change."""
PREFIX = "/registry"
"""Kubernetes' default, as in upstream's own etcd and by_binary's: a backup can be restored by any deployer."""


NAMESPACED = f"/api/v1/namespaces/{NAMESPACE}"
"""The API path of what etcd in pods is made of, but for its StatefulSet."""
OWN_ETCD = "a lab file with etcd.members = 3 or a table etcd.storage gives Karmada in pods an etcd of the lab's own"
"""The remedy where upstream's own etcd of one cannot do what is asked."""


def runs_own_etcd(spec: KarmadaSpec) -> bool:
    """Return whether a control plane in pods has an etcd of the lab's own: three members, or one on a volume. Else upstream's of one."""
    return spec.etcd.members == 3 or spec.etcd.storage is not None


def member_names(count: int) -> list[str]:
    """Return the names of so many members, which are those of their pods."""
    return [f"{ETCD}-{number}" for number in range(count)]


def client_address(member: str) -> str:
    """Return the address at which a member serves clients."""
    return f"https://{member}.{ETCD}.{DOMAIN}:{CLIENT_PORT}"


def peer_address(member: str) -> str:
    """Return the address at which a member serves its peers."""
    return f"https://{member}.{ETCD}.{DOMAIN}:{PEER_PORT}"
