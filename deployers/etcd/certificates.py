"""New certificates for Karmada's own etcd, in the place of those that are about to end. Nothing is started again.

etcd, and the clients of etcd that Karmada's API servers are, read their certificate from its file at every handshake (etcd 3.6:
client/pkg/transport, TLSInfo.baseConfig), so that writing the file is all there is to do. The authorities stay: with others, every
member and every client would have to change at one moment.
"""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from deployers.etcd.client import EtcdClient
from deployers.etcd.expiry import RENEW_BEFORE, certificate_expiries
from deployers.karmada import Karmada
from deployers.plane import certificates
from deployers.plane.layout import open_places, reach_addresses
from deployers.spec import KarmadaSpec
from lab.errors import ProvisionError
from lab.hints import command
from lab.pki import Authority, Pair

AUTHORITY = "etcd-ca"


def renew_etcd(karmada: Karmada, *, before: dt.timedelta | None = RENEW_BEFORE) -> dict[str, dt.datetime]:
    """Renew etcd's certificates that expire within `before` (None: all); return the new end of each.

    Returned when every member presents its new one. ProvisionError names a member that does not, or an authority that ends first.
    """
    etcd = EtcdClient.of(karmada)
    until = dt.datetime.now(dt.UTC) + (before or dt.timedelta())
    due = {name for name, ends in certificate_expiries(etcd.pki).items() if name != AUTHORITY and (before is None or ends < until)}
    if not due:
        return {}
    places = open_places(karmada.run, karmada.spec)
    reissue(Authority.ensure(etcd.pki, AUTHORITY, common_name=AUTHORITY), karmada.spec, due, reach_addresses(karmada.spec, places))
    for place in places:
        place.push(sorted(path for name in due for path in etcd.pki.glob(f"{name}.*")))
    renewed = {name: ends for name, ends in certificate_expiries(etcd.pki).items() if name in due}
    if "etcd-server" in due:
        written = x509.load_pem_x509_certificate((etcd.pki / "etcd-server.crt").read_bytes()).serial_number
        for name, address in etcd.endpoints.items():
            if fetch_etcd_certificate(etcd, address).serial_number != written:
                raise ProvisionError(
                    f"{name} still presents its old certificate",
                    where=address,
                    remedy=command("restart", f"karmada/{name}", lab=karmada.run.id),
                )
    etcd.until_well()
    return renewed


def reissue(authority: Authority, spec: KarmadaSpec, due: Collection[str], addresses: Sequence[str] = ()) -> None:
    """Issue new keys and certificates from an authority; those of servers are for these addresses, too.

    Raise ProvisionError, with nothing changed, if it expires before they would.
    """
    valid = dt.timedelta(days=spec.certificates.days)
    if (ends := authority.certificate.not_valid_after_utc) < dt.datetime.now(dt.UTC) + valid:
        raise ProvisionError(
            f"the authority itself ends on {ends:%Y-%m-%d}, before a new certificate would",
            where=str(authority.cert),
            remedy="ask for fewer days (karmada.certificates.days), or install again: authorities are not replaced in place",
        )
    for leaf in certificates.leaves(spec, addresses):
        if leaf.name in due:
            organisations = [leaf.organisation] if leaf.organisation else []
            authority.issue(leaf.name, common_name=leaf.common_name, organisations=organisations, hosts=leaf.hosts, valid=valid, renew=True)


def fetch_etcd_certificate(etcd: EtcdClient, address: str) -> x509.Certificate:
    """Return the certificate that a member of etcd presents to a new client. Raise ProvisionError if the handshake fails."""
    return fetch_certificate(address, ca=etcd.pki / f"{AUTHORITY}.crt", client=certificates.pair(etcd.pki, "etcd-client"))


def fetch_certificate(address: str, *, ca: Path, client: Pair | None = None) -> x509.Certificate:
    """Return the certificate that a server presents to `client`, which trusts `ca`. Raise ProvisionError if the handshake fails."""
    where = urlsplit(address)
    context = ssl.create_default_context(cafile=str(ca))
    if client:
        context.load_cert_chain(client.cert, client.key)
    try:
        with (
            socket.create_connection((str(where.hostname), where.port or 443), timeout=5.0) as plain,
            context.wrap_socket(plain, server_hostname=where.hostname) as secured,
        ):
            shown = secured.getpeercert(binary_form=True)
    except OSError as error:
        raise ProvisionError(f"TLS handshake failed: {error}", where=address) from error
    assert shown is not None  # the context asks for one
    return x509.load_der_x509_certificate(shown)
