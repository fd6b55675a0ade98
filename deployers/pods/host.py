"""The address of a control plane in pods from this computer, and its kubeconfig.

karmada-apiserver is a Service of the host cluster: every node of it serves the Service's port (NodePort), and the nodes' addresses can be
reached from here, from members' pods, and by members' agents. So all clients use the same address.
"""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path, PurePosixPath
from typing import Any

from deployers.names import CONTEXT, NAMESPACE
from lab.api import Api
from lab.cluster import Lab
from lab.errors import ProvisionError, UsageError
from lab.hints import command
from lab.images.load import list_nodes
from lab.kubeconfig import parse_kubeconfig, read_context
from lab.write_kubeconfig import write_context

Json = dict[str, Any]
NODE_PORT = 32443
"""Of karmada-apiserver, `karmadactl init`'s default: each host cluster has one Karmada."""


def node_address(host: Api) -> str:
    """Return the address of a node of the host cluster, its control plane's where there is one. ProvisionError when no node has one."""
    nodes = sorted(
        host.items("/api/v1/nodes"), key=lambda node: "node-role.kubernetes.io/control-plane" not in node["metadata"].get("labels", {})
    )
    for node in nodes:
        for address in (node.get("status") or {}).get("addresses") or []:
            if address["type"] == "InternalIP":
                return str(address["address"])
    raise ProvisionError(
        "no node of the host cluster has an address", where=host.server, remedy="kubectl --context karmada-host get nodes -o wide"
    )


def adopt_kubeconfig(text: str | bytes, to: Path, *, server: str | None = None, source: str) -> None:
    """Write an installer's administrator kubeconfig as the run's (0600): one cluster, user and context, named as everywhere here.

    `server` replaces the address in it. ProvisionError when the text is not a kubeconfig with embedded credentials.
    """
    try:
        given = parse_kubeconfig(text)
    except ValueError as error:
        raise ProvisionError(f"reading Karmada's kubeconfig failed: {error}", where=source) from error
    write_context(to, given, name=CONTEXT, server=server)


def secret(host: Api, namespace: str, name: str, key: str) -> bytes:
    """Return one value of a Secret. ProvisionError when it is missing."""
    found = host.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    value = ((found or {}).get("data") or {}).get(key)
    if value is None:
        raise ProvisionError(
            f"the host cluster has no secret {namespace}/{name} with a key {key}", where=host.server, remedy="install Karmada again"
        )
    return b64decode(value)


def ca_of(kubeconfig: Path) -> bytes:
    """Return the authority that a kubeconfig's current cluster is known by, as PEM. UsageError when it names none."""
    if not kubeconfig.exists():
        raise UsageError(
            "Karmada has no kubeconfig in this lab", where=str(kubeconfig), remedy=command("up", lab=kubeconfig.parent.parent.name)
        )
    try:
        return read_context(kubeconfig).pem("certificate-authority").encode()
    except KeyError as error:
        raise UsageError("the kubeconfig names no authority", where=str(kubeconfig)) from error


def remove_namespace(host: Api, namespace: str = NAMESPACE, *, within: float = 120.0) -> None:
    """Delete a namespace of the host cluster with its objects; return when it is gone."""
    path = f"/api/v1/namespaces/{namespace}"
    host.delete(path)
    host.until_gone(path, what=f"the namespace {namespace} of the host cluster is gone", within=within)


def with_data(lab: Lab, path: str) -> list[str]:
    """Return the nodes of the host cluster on which a directory is."""
    if lab.spec.host.kubeconfig:
        return []
    args = ["find", str(PurePosixPath(path).parent), "-maxdepth", "1", "-path", path]
    return [node.name for node in list_nodes(lab, lab.host) if node.run(args).stdout.strip()]


def remove_data(lab: Lab, *paths: str) -> None:
    """Delete directories on every node of the host cluster: what pods kept there outlives them, and no installer takes it away.

    Nothing is kept on the nodes of one that exists: they are not the lab's to clean up.
    """
    if lab.spec.host.kubeconfig:
        return
    for node in list_nodes(lab, lab.host):
        node.run(["rm", "-rf", *paths])
