"""The certificates that servers of a control plane in pods present, seen by a TLS handshake with each pod behind each Service.

A server that listens on the address of its pod alone, as upstream's webhook does, is not reached by forwarding a port. Those that read a
new certificate without a restart, karmada-apiserver and etcd, listen on every address.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Collection, Iterator
from typing import Any

from cryptography import x509

from deployers.names import LOOPBACK, NAMESPACE
from deployers.pods import workloads
from deployers.pods.held_keys import fingerprint
from lab.api import Unreachable
from lab.cluster import Cluster
from lab.port_forward import forward_port
from lab.wait import NotYet, until

Json = dict[str, Any]
PRESENTED_WITHIN = 180.0
"""A kubelet looks at a pod by itself within about a minute and a half, and a server at its files once a minute."""


def served_certificates(host: Cluster, components: Collection[str]) -> dict[str, list[x509.Certificate]]:
    """Return what each port of each Service of these components presents, by service:port, of each pod; ports without TLS are left out."""
    found: dict[str, list[x509.Certificate]] = {}
    services = host.api.items(f"/api/v1/namespaces/{NAMESPACE}/services")
    for each in workloads.workloads(host.api):
        for pod in workloads.pods(host.api, selector=each.selector) if each.component in components else []:
            for name, port in ports_of(services, pod):
                number = port_of(pod, port)
                if number and (shown := shake_hands(host, pod["metadata"]["name"], number)):
                    found.setdefault(name, []).append(shown)
    return found


def ports_of(services: Collection[Json], pod: Json) -> Iterator[tuple[str, Json]]:
    """Yield the ports of the Services that lead to a pod, each with its name, service:port."""
    labels = (pod["metadata"].get("labels") or {}).items()
    for service in services:
        selector = service["spec"].get("selector")
        for port in service["spec"]["ports"] if selector and selector.items() <= labels else []:
            yield f"{service['metadata']['name']}:{port['port']}", port


def port_of(pod: Json, port: Json) -> int | None:
    """Return the number of a Service's port in a pod, or None when the pod has no such port."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    named = [each for container in pod["spec"]["containers"] for each in container.get("ports") or [] if each.get("name") == target]
    return int(named[0]["containerPort"]) if named else None


def shake_hands(host: Cluster, pod: str, port: int) -> x509.Certificate | None:
    """Return the certificate that a port of a pod presents, of any authority; None when it speaks no TLS or does not answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # what is presented is to be seen, not trusted
    with forward_port(host, NAMESPACE, pod, port) as here:
        try:
            with socket.create_connection((LOOPBACK, here), timeout=5.0) as plain, context.wrap_socket(plain) as secured:
                shown = secured.getpeercert(binary_form=True)
        except OSError:
            return None
    return x509.load_der_x509_certificate(shown) if shown else None


def wait_presented(host: Cluster, components: Collection[str], servers: Collection[str], former: Collection[bytes]) -> None:
    """Return when these servers of components (as service:port) present certificates that are none of the former ones (fingerprints)."""

    def presented() -> None:
        try:
            shown = served_certificates(host, components)
        except Unreachable as away:  # a busy host cluster lets a request time out
            raise NotYet(str(away)) from away
        if silent := sorted(set(servers) - shown.keys()):
            raise NotYet(f"no TLS at {', '.join(silent)}")
        if old := sorted(name for name, each in shown.items() if any(fingerprint(one) in former for one in each)):
            raise NotYet(f"{', '.join(old)}: still the old certificate")

    until(presented, what="servers present their new certificates", within=PRESENTED_WITHIN, every=3.0)
