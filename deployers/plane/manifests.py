"""The objects of Karmada's API, taken from the release's own files and pointed to where this control plane is.

No list of webhooks, CRDs or rules is kept here: what a release ships is what is applied, so a checkout with one hook more has one hook
more. Upstream's files carry `{{placeholders}}` and in-cluster addresses; one that is still there after re-pointing is an error.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import yaml

from deployers.names import LOOPBACK
from deployers.plane.layout import ESTIMATOR_PORT, estimator
from lab.errors import ProvisionError

Json = dict[str, Any]
NAMESPACE: Json = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "karmada-system"}}
"""Where the controllers' leases are, on karmada-apiserver; artifacts/deploy/namespace.yaml is the same."""
PLACEHOLDER = re.compile(r"\{\{ *(?P<inner>[A-Za-z_]+) *\}\}|\$\{(?P<shell>[A-Za-z_]+)\}")
"""Upstream writes them in two ways: {{caBundle}} and ${ca_crt}."""


@dataclass(frozen=True)
class Addresses:
    """What the release's files leave open: who signs, and where webhooks and API servers are (host:port)."""

    ca: bytes
    apiserver: str
    webhook: str
    services: Mapping[str, int]
    """Port of each aggregated API server on this computer, by its Service's name; one that is not named is in the host cluster."""

    @property
    def ca_bundle(self) -> str:
        return base64.b64encode(self.ca).decode()


def crd_files(crds: Path) -> list[Path]:
    """Return the files of a release's CRDs and of the patches to two of them, sorted."""
    return sorted([*(crds / "bases").rglob("*.yaml"), *(crds / "patches").glob("*.yaml")])


def custom_resources(crds: Path, where: Addresses) -> list[Json]:
    """Return the CRDs, those with a conversion webhook patched to call ours. (The patches are all that kustomize would do.)"""
    names = {"name": "karmada-webhook", "namespace": "karmada-system", "caBundle": where.ca_bundle}
    found: dict[str, Json] = {}
    patches: list[Json] = []
    for file in crd_files(crds):
        for document in read(file, names):
            if file.parent.name == "patches":
                patches.append(document)
            else:
                found[document["metadata"]["name"]] = document
    for patch in patches:
        name = patch["metadata"]["name"]
        if name not in found:
            raise ProvisionError(f"the release patches a CRD that it does not have: {name}", where=str(crds))
        conversion = patch["spec"]["conversion"]
        client = conversion["webhook"]["clientConfig"]
        client["url"] = repoint(client["url"], where.webhook)
        found[name]["spec"]["conversion"] = conversion
    if not found:
        raise ProvisionError("the release has no CRDs", where=str(crds / "bases"))
    return list(found.values())


def webhook_configurations(manifests: Path, where: Addresses) -> list[Json]:
    """Return the admission webhook configurations of record, each hook at its own path of our webhook."""
    documents = list(read(manifests / "webhook-configuration.yaml", {"caBundle": where.ca_bundle}))
    for document in documents:
        for hook in document["webhooks"]:
            hook["clientConfig"]["url"] = repoint(hook["clientConfig"]["url"], where.webhook)
    return documents


def api_services(manifests: Path, name: str, where: Addresses) -> list[Json]:
    """Return the APIServices of one aggregated server, after the Service they go through.

    A Service of type ExternalName is upstream's way, since karmada-apiserver has no pods: it leads to the Service of the same name
    in the host cluster, or back to this computer. Then the name is an address, so that no resolver is asked; the port is the APIService's.
    """
    documents = list(read(manifests / f"{name}-apiservice.yaml", {"caBundle": where.ca_bundle}))
    for document in documents if name in where.services else ():
        if document["kind"] == "Service":
            document["spec"]["externalName"] = LOOPBACK
        else:
            document["spec"]["service"]["port"] = where.services[name]
    return sorted(documents, key=lambda document: document["kind"] != "Service")


def access(manifests: Path, where: Addresses) -> list[Json]:
    """Return the roles of record, and what `karmadactl register` needs: the public cluster-info and the rights of bootstrap tokens."""
    values = {"ca_crt": where.ca_bundle, "apiserver_address": where.apiserver}
    files = ("admin-clusterrole-aggregation.yaml", "cluster-proxy-admin-rbac.yaml", "bootstrap-token-configuration.yaml")
    return [document for file in files for document in read(manifests / file, values)]


def estimator_service(member: str, port: int, address: str = LOOPBACK) -> Json:
    """Return the Service by which scheduler and descheduler find a member's estimator; they take its name and `targetPort` as they are."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": estimator(member), "namespace": "karmada-system"},
        "spec": {
            "type": "ExternalName",
            "externalName": address,
            "ports": [{"name": "grpc", "port": ESTIMATOR_PORT, "targetPort": port, "protocol": "TCP"}],
        },
    }


def read(file: Path, values: Mapping[str, str]) -> Iterator[Json]:
    """Yield the documents of a file with its placeholders filled in. ProvisionError when one has no value or the file cannot be read."""

    def value(found: re.Match[str]) -> str:
        try:
            return values[found["inner"] or found["shell"]]
        except KeyError:
            raise ProvisionError(
                f"a file of the release has an unknown placeholder: {found[0]}",
                where=str(file),
                remedy="this release is newer than this deployer: see what upstream's hack/deploy-karmada.sh puts there",
            ) from None

    try:
        text = PLACEHOLDER.sub(value, file.read_text())
        documents = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProvisionError(f"a file of the release cannot be used: {error}", where=str(file)) from error
    yield from (document for document in documents if document)


def repoint(url: str, webhook: str) -> str:
    """Return a hook's URL with the host:port of this lab's webhook and its own path."""
    return urlunsplit(("https", webhook, urlsplit(url).path, "", ""))
