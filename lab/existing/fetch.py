"""The kubeconfig of a cluster fetched from one of its hosts, with an address at which the cluster answers from here."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from lab.api import Api, Unreachable
from lab.errors import CommandFailed, NotPossible, ProvisionError
from lab.kubeconfig import KubeContext, parse_kubeconfig
from lab.machines.machine import Machine
from lab.write_kubeconfig import write_context

PLACES = ("/etc/kubernetes/admin.conf", "/etc/rancher/k3s/k3s.yaml", "/etc/rancher/rke2/rke2.yaml", "/var/lib/k0s/pki/admin.conf")
"""Where kubeadm, k3s, RKE2 and k0s write the kubeconfig of their administrator; the user's own is looked for first."""
READ = 'for file in "${KUBECONFIG:-$HOME/.kube/config}" "$@"; do [ -r "$file" ] && exec cat -- "$file"; done; exit 44'
NONE = 44
IN_FILES = frozenset({"certificate-authority", "client-certificate", "client-key", "tokenFile", "exec"})
"""Keys of a kubeconfig that only mean something on the computer that it is of."""
NAMES = ("kubernetes", "kubernetes.default", "localhost")
"""Names that the certificate of every API server has, for a server that is reached at an address that its certificate does not have."""


def fetch_kubeconfig(machine: Machine, address: str, to: Path, *, name: str) -> KubeContext:
    """Write the kubeconfig of the cluster that a machine is part of (0600) and return its context.

    Its server is the first of these that answers from here: the one in the file, and the same port of the machine's `address`. NotPossible
    when the machine has no kubeconfig that its user may read; ProvisionError when neither answers.
    """
    try:
        text = machine.run(["sh", "-c", READ, "sh", *PLACES]).stdout
    except CommandFailed as failed:
        if failed.status != NONE:
            raise
        raise NotPossible(
            f"fetching the kubeconfig of {name} failed: the user may read none on {machine.name}",
            where=", ".join(("~/.kube/config", *PLACES)),
            remedy="log in as a user who may, or with sudo; or copy the file here and give it with --kubeconfig",
        ) from failed
    try:
        given = parse_kubeconfig(text)
    except ValueError as error:
        raise NotPossible(f"fetching the kubeconfig of {name} failed: {error}", where=machine.name) from error
    if files := [key for part in (given.cluster, given.user) for key in part if key in IN_FILES]:
        raise NotPossible(
            f"fetching the kubeconfig of {name} failed: it refers to files that only {machine.name} has: {', '.join(files)}",
            where=machine.name,
            remedy="kubectl config view --raw --flatten writes one with everything inside",
        )
    chosen = find_reachable(given, address, to, name=name)
    write_context(to, chosen, name=name)
    return chosen


def find_reachable(given: KubeContext, address: str, scratch: Path, *, name: str) -> KubeContext:
    """Return the context with the first of its addresses that answers. ProvisionError lists why none does."""
    failures = []
    for candidate in list_candidates(given, address):
        write_context(scratch, candidate, name=name)
        try:
            Api.open(scratch).request("GET", "/version")
        except (Unreachable, OSError, ssl.SSLError) as error:
            server_name = candidate.cluster.get("tls-server-name")
            failures.append(f"{candidate.server}{f' as {server_name}' if server_name else ''}: {error}")
            continue
        return candidate
    scratch.unlink(missing_ok=True)
    raise ProvisionError(
        f"{name} does not answer from here at any address that its kubeconfig and its host give",
        where=address,
        detail="\n".join(failures),
        remedy="open the API server's port to this computer",
    )


def list_candidates(given: KubeContext, address: str) -> Sequence[KubeContext]:
    """Return the context with each address to try: its own unless that is a loopback one, then the host's, under each name it may have."""
    parts = urlsplit(given.server)
    own = parts.hostname or ""
    host = f"[{address}]" if ":" in address else address
    moved = urlunsplit(parts._replace(netloc=f"{host}:{parts.port or 443}"))
    names = [None, *dict.fromkeys((own, *NAMES))]
    there = [replace(given, cluster={**given.cluster, "server": moved, **({"tls-server-name": name} if name else {})}) for name in names]
    return there if is_loopback(own) else [given, *there]


def is_loopback(host: str) -> bool:
    """Return whether a host of an address is the computer itself."""
    try:
        found = ip_address(host)
    except ValueError:
        return host == "localhost"
    return found.is_loopback or found.is_unspecified
