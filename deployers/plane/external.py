"""Check the external services that a spec names, an etcd and a load balancer, before anything is created.

Ten minutes into an installation the same mistakes look like an API server that does not get ready.
"""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
from cryptography import x509

from deployers.spec import ExternalEtcd

TIMEOUT = 3.0


def external_etcd_errors(etcd: ExternalEtcd) -> list[str]:
    """Return why an external etcd cannot be used, one sentence a server: it must answer each with these files. They can be read."""
    try:
        certificate = x509.load_pem_x509_certificate(etcd.cert.read_bytes())
        context = ssl.create_default_context(cafile=str(etcd.ca))
        context.load_cert_chain(str(etcd.cert), str(etcd.key))
    except (ValueError, ssl.SSLError) as error:
        return [f"etcd.external: its files cannot be used: {error} (ca {etcd.ca}, cert {etcd.cert}, key {etcd.key})"]
    if (ended := certificate.not_valid_after_utc) <= dt.datetime.now(dt.UTC):
        return [f"etcd.external.cert: {etcd.cert} expired on {ended:%Y-%m-%d}"]
    with ThreadPoolExecutor(max_workers=len(etcd.servers)) as pool:
        return [why for why in pool.map(lambda server: etcd_server_error(server, context, etcd), etcd.servers) if why]


def etcd_server_error(server: str, context: ssl.SSLContext, etcd: ExternalEtcd) -> str | None:
    """Return why one server cannot be used, or None."""
    address = urlsplit(server)
    try:  # only the handshake, to get its own error message
        with (
            socket.create_connection((address.hostname, address.port or 2379), timeout=TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=address.hostname),
        ):
            pass
        answer = httpx.get(f"{server}/version", verify=context, trust_env=False, timeout=TIMEOUT)
    except ssl.SSLCertVerificationError as error:
        if "match" in error.verify_message or error.verify_code in {62, 64}:
            return f"etcd.external.servers: the certificate of {server} does not name that address: {error.verify_message}"
        return f"etcd.external.ca: {server} is not known by the authority in {etcd.ca}: {error.verify_message}"
    except (OSError, httpx.HTTPError) as error:
        return f"etcd.external.servers: {server} does not answer, or not to {etcd.cert}: {error or type(error).__name__}"
    if answer.status_code != 200:
        return f"etcd.external.servers: {server} answers {answer.status_code}: is it an etcd?"
    return None


def balancer_errors(address: str) -> list[str]:
    """Return why a load balancer cannot be used: nothing listens there, or what answers shows a certificate without its name.

    What is behind it need not be there yet; then no certificate is shown.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE  # who signed it is for clients to judge; here it is read for its names
    try:
        with socket.create_connection((host, int(port)), timeout=TIMEOUT) as plain:
            try:
                with anybody.wrap_socket(plain, server_hostname=host) as secured:
                    shown = secured.getpeercert(binary_form=True)
            except OSError:  # it passes connections through, and nothing is behind it yet
                return []
        names = names_of(x509.load_der_x509_certificate(shown)) if shown else [host]
        if any(matches(host, name) for name in names):
            return []
        return [
            f"load_balancer: the certificate that {address} shows names {', '.join(names) or 'no host'} and not {host}; "
            "have it pass TLS through, or where it does, install with certificates.hosts that hold the name first"
        ]
    except OSError as error:
        return [f"load_balancer: nothing answers at {address} ({error}); it has to be there before Karmada is"]


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(each.value) for each in found if isinstance(each, x509.DNSName | x509.IPAddress)]


def matches(host: str, name: str) -> bool:
    """Return whether a certificate's name matches a host; `*.` matches one label."""
    return host == name or (name.startswith("*.") and host.partition(".")[2] == name.removeprefix("*."))
