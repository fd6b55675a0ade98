"""New certificates for all of a control plane, in the place of those that are about to end, while it serves; for pods see `renew_pods`.

karmada-apiserver reloads its own when their files change, so it is not restarted and no write of a template fails. The others
have theirs in a kubeconfig, which is read once: they are started again, one after the other, as in an upgrade. The authorities stay, and
so do members, their credentials and what Karmada's webhooks are known by. A pull member's agent renews its own by itself.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cryptography import x509

from deployers.by_binary.installation import BinaryInstallation, open_plane
from deployers.by_binary.rollout import GRACE
from deployers.day2.renew_pods import STAGES, renew_in_pods
from deployers.deployer import runs_in_pods
from deployers.etcd.certificates import fetch_certificate, reissue, renew_etcd
from deployers.etcd.expiry import RENEW_BEFORE
from deployers.karmada import Karmada
from deployers.names import LEASES, kind_of_instance
from deployers.plane import certificates, pending_operation
from deployers.plane.layout import reach_addresses
from deployers.plane.leases import drop_stale
from deployers.plane.rollout import follow_ups
from lab import component
from lab.cluster import merge_kubeconfigs
from lab.component import Component, find_owner
from lab.errors import NotPossible
from lab.hints import command
from lab.pki import Authority
from lab.wait import NotYet, until

AUTHORITY = "ca"
WHAT = "a renewal of certificates"
RELOADS_CERTIFICATE = frozenset({"etcd", "haproxy", "karmada-apiserver"})
"""Components that need not be started again for it."""


def renew_all(
    karmada: Karmada, *, before: dt.timedelta | None = RENEW_BEFORE, authorities: bool = False, through: str = STAGES[-1]
) -> dict[str, dt.datetime]:
    """Renew certificates that expire within `before` (None: all), etcd's included; return the new end of each.

    Returned when every server presents its new one and every component was started with its own. Interrupted, it goes on where it was.
    `authorities` and `through`: as in `renew_in_pods`; NotPossible for programs. ProvisionError when an authority ends first, with nothing
    changed.
    """
    if runs_in_pods(karmada):
        return renew_in_pods(karmada, before=before, authorities=authorities, through=through)
    if authorities:
        raise NotPossible("the authorities of a Karmada of programs are not exchanged in place", where=str(karmada.run.path))
    plane = open_plane(karmada)
    pki = plane.layout.pki
    renewed = {} if karmada.spec.etcd.external else renew_etcd(karmada, before=before)
    due = list_expiring(karmada, pki, before)
    begun = (pending_operation.facts_of(karmada.run, WHAT) or {}).get("names", [])
    if not due and not begun:
        return renewed
    with pending_operation.hold_pending(karmada.run, WHAT, again=command("renew", lab=karmada.run.id), names=sorted({*due, *begun})):
        addresses = reach_addresses(karmada.spec, plane.layout.places)
        reissue(Authority.ensure(pki, AUTHORITY, common_name="karmada"), karmada.spec, due, addresses)
        plane.identity()  # kubeconfigs hold certificates
        for part in plane.programs:
            if part.kind not in RELOADS_CERTIFICATE:
                restart_component(plane, part)
        for use in plane.layout.ports:
            if use.endswith(".https") and kind_of_instance(use.removesuffix(".https")) != "haproxy":
                wait_presented(plane, use.removesuffix(".https"))
        merge_kubeconfigs(karmada.run, [*karmada.lab.clusters, karmada.cluster])
    return renewed | {name: expiry_of(pki / f"{name}.crt") for name in sorted({*due, *begun})}


def list_expiring(karmada: Karmada, pki: Path, before: dt.timedelta | None) -> list[str]:
    """Return the certificates of Karmada's own authority that end within that time."""
    until = dt.datetime.now(dt.UTC) + (before or dt.timedelta())
    names = [leaf.name for leaf in certificates.leaves(karmada.spec) if leaf.authority == AUTHORITY]
    return [name for name in names if before is None or expiry_of(pki / f"{name}.crt") < until]


def expiry_of(file: Path) -> dt.datetime:
    """Return when a certificate ends."""
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc


def restart_component(plane: BinaryInstallation, part: Component) -> None:
    """Restart a program and wait until it serves. If it was the only candidate of its election, release its lease for the successor."""
    kind = part.kind
    find_owner(plane.run, part.machine).stop(part.name, within=GRACE)
    if kind in LEASES:
        drop_stale(plane.api, plane.run, [each for each in plane.programs if each.kind == kind])
    component.start(part, plane.run)
    if after := follow_ups(plane).get(kind):
        after()


def wait_presented(plane: BinaryInstallation, instance: str) -> None:
    """Return when a server presents the certificate in its file: it takes a moment to notice the change."""
    file = plane.layout.pair(kind_of_instance(instance)).cert

    def new() -> None:
        shown = fetch_certificate(plane.layout.server(instance), ca=plane.layout.ca)
        if shown.serial_number != x509.load_pem_x509_certificate(file.read_bytes()).serial_number:
            raise NotYet(f"it still presents the one that ends on {shown.not_valid_after_utc:%Y-%m-%d %H:%M}")

    until(
        new,
        what=f"{instance} presents its new certificate",
        within=90.0,
        remedy=command("restart", f"karmada/{instance}", lab=plane.run.id),
    )
