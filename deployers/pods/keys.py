"""The authority and the service-account key of a control plane in pods, for all installers.

kube-controller-manager is given both by every installer: its flags name the files, its volumes the Secrets that hold them.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from deployers.names import NAMESPACE
from deployers.plane.flags import join_values
from deployers.pods import workloads
from lab.api import Api
from lab.component import parse_flags
from lab.errors import ProvisionError

Json = dict[str, Any]
SIGNER = "kube-controller-manager"


def read_plane_keys(host: Api) -> dict[str, bytes]:
    """Return ca.crt, ca.key, sa.pub and sa.key of the control plane. ProvisionError when its signer or one of them is missing."""
    signer = next((each for each in workloads.workloads(host) if each.component == SIGNER), None)
    if signer is None:
        raise ProvisionError(
            f"this Karmada has no {SIGNER}, which holds its authority",
            where=f"{host.server}, namespace {NAMESPACE}",
            remedy=f"kubectl --context karmada-host -n {NAMESPACE} get deployments",
        )
    flags = {name: join_values(value) for name, value in parse_flags(signer.argv).items()}
    template = {"metadata": {"name": signer.name, "namespace": NAMESPACE}, "spec": signer.item["spec"]["template"]["spec"]}
    token = read_mounted(host, template, flags["service-account-private-key-file"])
    return {
        "ca.crt": read_mounted(host, template, flags["cluster-signing-cert-file"]),
        "ca.key": read_mounted(host, template, flags["cluster-signing-key-file"]),
        "sa.pub": public_key(token),
        "sa.key": token,
    }


def public_key(private: bytes) -> bytes:
    """Return the public half of a private key, as PEM."""
    return load_pem_private_key(private, None).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_of(certificate: bytes, candidates: Iterable[bytes]) -> bytes | None:
    """Return the private key of a certificate among the candidates, or None; what is no private key is passed over."""
    wanted = x509.load_pem_x509_certificate(certificate).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for candidate in candidates:
        if b"PRIVATE KEY" in candidate and public_key(candidate) == wanted:
            return candidate
    return None


def secret_values(host: Api) -> list[bytes]:
    """Return every value of every Secret of Karmada's namespace."""
    found = host.items(f"/api/v1/namespaces/{NAMESPACE}/secrets")
    return [b64decode(value) for each in found for value in (each.get("data") or {}).values()]


def list_mounted(pod: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Yield the names of Secrets, and the keys in them, that a file of a pod's first container may be."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    for mount in pod["spec"]["containers"][0].get("volumeMounts", []):
        secret = volumes.get(mount["name"], {}).get("secret")
        if secret is None or not PurePosixPath(path).is_relative_to(mount["mountPath"]):
            continue
        inside = str(PurePosixPath(path).relative_to(mount["mountPath"]))
        yield secret["secretName"], next((item["key"] for item in secret.get("items", []) if item["path"] == inside), inside)


def read_mounted(host: Api, pod: Mapping[str, Any], path: str) -> bytes:
    """Return a file of a pod that is of a Secret. ProvisionError when no Secret is mounted there."""
    for name, key in list_mounted(pod, path):
        data = host.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/secrets/{name}").get("data") or {}
        if key in data:
            return b64decode(data[key])
    raise ProvisionError(f"{path} of {pod['metadata']['name']} is not mounted from a Secret", where=f"pod {pod['metadata']['name']}")
