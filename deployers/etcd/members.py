"""Care for Karmada's etcd: as programs by `membership` and `certificates`, as pods by `pod_membership` and `pod_renewal`."""

from __future__ import annotations

import datetime as dt

from deployers.deployer import runs_in_pods
from deployers.etcd import certificates, membership, pod_membership, pod_renewal
from deployers.etcd.expiry import RENEW_BEFORE
from deployers.karmada import Karmada
from deployers.plane.layout import etcds
from deployers.pods.etcd.install import member_count
from deployers.pods.etcd.names import member_names


def has_pods(karmada: Karmada) -> bool:
    """Return whether Karmada's etcd is pods; an external one is not Karmada's."""
    return runs_in_pods(karmada) and karmada.spec.etcd.external is None


def add(karmada: Karmada, name: str | None = None) -> Karmada:
    """Add a member; return the changed control plane. Errors as in the two modules."""
    return pod_membership.add(karmada, name) if has_pods(karmada) else membership.add(karmada, name)


def grow(karmada: Karmada) -> Karmada:
    """Grow etcd to three members; return the changed control plane. Errors as in the two modules."""
    return pod_membership.grow(karmada) if has_pods(karmada) else membership.grow(karmada)


def remove(karmada: Karmada, name: str) -> Karmada:
    """Remove a member and its data; return the changed control plane. Errors as in the two modules."""
    return pod_membership.remove(karmada, name) if has_pods(karmada) else membership.remove(karmada, name)


def replace(karmada: Karmada, name: str) -> Karmada:
    """Replace a lost member by a new one of its name; return the control plane. Errors as in the two modules."""
    return pod_membership.replace(karmada, name) if has_pods(karmada) else membership.replace(karmada, name)


def renew(karmada: Karmada, *, before: dt.timedelta | None = RENEW_BEFORE) -> dict[str, dt.datetime]:
    """Renew etcd's certificates that expire within `before` (None: all); return the new end of each. Errors as in the two modules."""
    return pod_renewal.renew_pod_etcd(karmada, before=before) if has_pods(karmada) else certificates.renew_etcd(karmada, before=before)


def list_names(karmada: Karmada) -> list[str]:
    """Return the names of the members that Karmada's etcd is to have."""
    return member_names(member_count(karmada)) if has_pods(karmada) else etcds(karmada)
