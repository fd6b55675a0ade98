"""Reach a port of a pod from this computer, through the API server of its cluster.

The package `kubernetes` carries one connection to a pod; here each connection to a local port becomes one of those. Nothing else is
started, and no program of the pod is needed.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from lab.cluster import Cluster
from lab.errors import ProvisionError

CHUNK = 1 << 16


@contextmanager
def forward_port(cluster: Cluster, namespace: str, pod: str, port: int) -> Iterator[int]:
    """Yield a port of this computer's loopback interface behind which a port of a pod is; it is closed afterwards.

    A connection that the cluster refuses ends at once; the program at this end says so. ProvisionError when no port is free here.
    """
    try:
        listener = socket.create_server(("127.0.0.1", 0))
    except OSError as error:
        raise ProvisionError(f"no local port for {namespace}/{pod}: {error}", where="127.0.0.1") from error
    threading.Thread(target=accept, args=(listener, cluster, namespace, pod, port), daemon=True, name=f"forward {pod}").start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for connections
        listener.close()


def accept(listener: socket.socket, cluster: Cluster, namespace: str, pod: str, port: int) -> None:
    """Carry each connection to the pod, until the listener is closed."""
    while True:
        try:
            here, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=carry, args=(here, cluster, namespace, pod, port), daemon=True, name=f"carry {pod}").start()


def carry(here: socket.socket, cluster: Cluster, namespace: str, pod: str, port: int) -> None:
    """Carry one connection, both ways, to its end."""
    from kubernetes.client import CoreV1Api  # noqa: PLC0415 (half a second of import that other commands need not pay)
    from kubernetes.stream import portforward  # noqa: PLC0415 (as above)

    with here, cluster.client() as client:
        try:
            opened: Any = portforward(CoreV1Api(client).connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port))
        except Exception:  # noqa: BLE001 (of the package's many errors each means the same here: there is no connection)
            return
        there = opened.socket(port)
        there.setblocking(True)
        upward = threading.Thread(target=pump, args=(here, there), daemon=True)
        upward.start()
        pump(there, here)
        upward.join(timeout=5.0)
        opened.close()


def pump(source: Any, sink: Any) -> None:
    """Copy bytes from one socket to another until the first ends; then end the other's input."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
