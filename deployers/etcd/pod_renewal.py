"""New certificates for the lab's own etcd in pods, while it serves. Nothing is started again.

As in `certificates`: etcd and its clients read a certificate from its file at every handshake. In pods the files are of Secrets, which a
kubelet rewrites at its next sync of the pod; a changed annotation triggers one at once. The Secret by which Karmada calls etcd is its
installer's, under a name of its own: it is known by the certificate in it.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509

from deployers.etcd.certificates import fetch_certificate
from deployers.etcd.expiry import RENEW_BEFORE, certificate_expiries
from deployers.etcd.pod import PodEtcdClient
from deployers.etcd.pod_membership import require_own
from deployers.karmada import Karmada
from deployers.names import LOOPBACK, NAMESPACE
from deployers.plane import objects
from deployers.plane.certificates import pair
from deployers.pods.etcd.certificates import CALLER, CLIENTS, LEAVES, PEERS, make_certificates, pki_folder, secrets
from deployers.pods.etcd.names import CLIENT_PORT, NAMESPACED
from deployers.pods.keys import key_of
from deployers.pods.restart import look_at_secrets
from lab.api import Api
from lab.errors import ProvisionError
from lab.port_forward import forward_port
from lab.reissue import is_issued_by
from lab.wait import NotYet, until

Json = dict[str, Any]
WITHIN = 180.0
"""A kubelet looks at a pod by itself within about a minute and a half."""


def renew_pod_etcd(karmada: Karmada, *, before: dt.timedelta | None = RENEW_BEFORE) -> dict[str, dt.datetime]:
    """Renew etcd's certificates that expire within `before` (None: all); return the new end of each.

    Returned when every member presents its new one. NotReady names a member that does not; ProvisionError an authority that ends first.
    NotPossible for upstream's own etcd.
    """
    require_own(karmada)
    folder = pki_folder(karmada.run, karmada.name)
    until_when = dt.datetime.now(dt.UTC) + (before or dt.timedelta())
    ends, leaves = certificate_expiries(folder), {leaf.name for leaf in LEAVES}
    due = {name for name in leaves if before is None or ends[name] < until_when}
    host = karmada.lab.host.api
    if not due:
        replace_in_secrets(host, folder)  # a renewal may have been interrupted before
        return {}
    days = karmada.spec.certificates.days
    require_authorities(folder, days)
    make_certificates(folder, days=days, renew=due)
    objects.apply_all(host, secrets(folder))
    replace_in_secrets(host, folder)
    look_at_secrets(host)
    wait_presented(karmada, folder)
    PodEtcdClient.of(karmada).until_well()
    return {name: end for name, end in certificate_expiries(folder).items() if name in due}


def require_authorities(folder: Path, days: int) -> None:
    """Raise ProvisionError, with nothing changed, if an authority expires before a new certificate would."""
    ends = certificate_expiries(folder)
    until_when = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    for name in (CLIENTS, PEERS):
        if ends[name] < until_when:
            raise ProvisionError(
                f"the authority {name} itself ends on {ends[name]:%Y-%m-%d}, before a new certificate would",
                where=str(folder),
                remedy="ask for fewer days (karmada.certificates.days), or install again: authorities are not replaced in place",
            )


def replace_in_secrets(host: Api, folder: Path) -> list[str]:
    """Put the newest pair by which Karmada calls etcd in the place of earlier ones, in every Secret; return the names of those changed."""
    authority = x509.load_pem_x509_certificate((folder / f"{CLIENTS}.crt").read_bytes())
    files = pair(folder, CALLER)
    newest = (files.cert.read_bytes(), files.key.read_bytes())
    changed = []
    for each in host.items(f"{NAMESPACED}/secrets"):
        values = {key: b64decode(value) for key, value in (each.get("data") or {}).items()}
        if data := list_changed_values(values, newest, authority):
            host.patch(
                f"{NAMESPACED}/secrets/{each['metadata']['name']}", {"data": {key: b64encode(text).decode() for key, text in data.items()}}
            )
            changed.append(str(each["metadata"]["name"]))
    return changed


def list_changed_values(values: Mapping[str, bytes], newest: tuple[bytes, bytes], authority: x509.Certificate) -> dict[str, bytes]:
    """Return the values of a Secret that change: earlier certificates of the same name and authority, and the keys of those. Pure."""
    name = x509.load_pem_x509_certificate(newest[0])
    changed: dict[str, bytes] = {}
    for key, text in values.items():
        if b"BEGIN CERTIFICATE" not in text:
            continue
        former = x509.load_pem_x509_certificate(text)
        if former.subject != name.subject or former.serial_number == name.serial_number or not is_issued_by(former, authority):
            continue
        changed[key] = newest[0]
        changed |= {other: newest[1] for other, candidate in values.items() if key_of(text, [candidate])}
    return changed


def wait_presented(karmada: Karmada, folder: Path) -> None:
    """Return when every member presents the certificate that is in the folder."""
    written = x509.load_pem_x509_certificate((folder / "etcd-server.crt").read_bytes()).serial_number
    client = pair(folder, "etcd-client")
    for name in PodEtcdClient.of(karmada).endpoints:

        def presented(name: str = name) -> None:
            with forward_port(karmada.lab.host, NAMESPACE, name, CLIENT_PORT) as port:
                try:
                    shown = fetch_certificate(f"https://{LOOPBACK}:{port}", ca=folder / f"{CLIENTS}.crt", client=client)
                except ProvisionError as error:
                    raise NotYet(str(error)) from error
            if shown.serial_number != written:
                raise NotYet("it presents its old certificate")

        until(presented, what=f"{name} presents its new certificate", within=WITHIN, every=2.0)
