"""Upstream's own workloads from artifacts/deploy, with what a spec changes laid over them, and the Secrets that they mount.

The files are what upstream's end-to-end tests run, so their flags are those of the profile "e2e", whatever a spec's profile is. Which
Secret holds which certificate: hack/deploy-karmada.sh, generate_cert_related_secrets.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deployers.names import NAMESPACE
from deployers.plane.certificates import pair
from deployers.plane.flags import apply_spec
from deployers.plane.layout import estimator
from deployers.plane.manifests import read
from deployers.spec import KarmadaSpec
from lab.component import Component, parse_flags, render_flags
from lab.errors import ProvisionError, UsageError
from lab.pki import Pair

Json = dict[str, Any]
FILES = {"etcd": "karmada-etcd"}
"""The manifest files that do not have their component's name."""
CERTIFICATES = {
    "karmada-apiserver": "karmada-apiserver",
    "karmada-aggregated-apiserver": "karmada-aggregated-apiserver",
    "karmada-metrics-adapter": "karmada-metrics-adapter",
    "karmada-search": "karmada-search",
    "karmada-webhook": "karmada-webhook",
    "karmada-scheduler-estimator": "karmada-scheduler-estimator",
    "karmada-apiserver-front-proxy-client": "front-proxy-client",
    "karmada-scheduler-scheduler-estimator-client": "karmada-scheduler-grpc",
    "karmada-descheduler-scheduler-estimator-client": "karmada-descheduler-grpc",
}
"""Secrets `<name>-cert` with a certificate of Karmada's authority, by the certificate's file."""
OF_ETCD = {
    "etcd": "etcd-server",
    "etcd-etcd-client": "etcd-client",
    "karmada-apiserver-etcd-client": "karmada-apiserver-etcd-client",
    "karmada-aggregated-apiserver-etcd-client": "karmada-aggregated-apiserver-etcd-client",
    "karmada-search-etcd-client": "karmada-search-etcd-client",
}
"""The same with a certificate of etcd's authority: servers and clients of etcd."""
CALLERS = (
    "karmada-aggregated-apiserver",
    "karmada-controller-manager",
    "karmada-scheduler",
    "karmada-descheduler",
    "karmada-metrics-adapter",
    "karmada-search",
    "karmada-webhook",
)
"""Secrets `<name>-config` with a kubeconfig of the component's own; kube-controller-manager has the administrator's."""


def secrets(deploy: Path, pki: Path, spec: KarmadaSpec) -> list[Json]:
    """Return every Secret that this control plane's workloads mount, from the files of its `pki`."""
    ca = Pair(pki / "ca.crt", pki / "ca.key")
    found = [certificate(deploy, name, ca.cert, pair(pki, file)) for name, file in CERTIFICATES.items() if pair(pki, file).cert.exists()]
    if external := spec.etcd.external:
        client = Pair(external.cert, external.key)
        found += [certificate(deploy, name, external.ca, client) for name in OF_ETCD if name.startswith("karmada-")]
    else:
        found += [
            certificate(deploy, name, pki / "etcd-ca.crt", pair(pki, file))
            for name, file in OF_ETCD.items()
            if pair(pki, file).cert.exists()
        ]
    for name in (name for name in (*CALLERS, "kube-controller-manager") if spec.has(name)):
        client = pair(pki, "client" if name == "kube-controller-manager" else f"{name}-client")
        found += fill_placeholders(
            deploy / "karmada-config-secret.yaml", component=name, ca_crt=ca.cert, client_crt=client.cert, client_key=client.key
        )
    found += fill_placeholders(deploy / "karmada-ca-cert-secret.yaml", component="kube-controller-manager", ca_crt=ca.cert, ca_key=ca.key)
    for name in ("kube-controller-manager", "karmada-apiserver"):
        found += fill_placeholders(deploy / "karmada-key-pair-secret.yaml", component=name, sa_pub=pki / "sa.pub", sa_key=pki / "sa.key")
    return found


def certificate(deploy: Path, name: str, ca: Path, leaf: Pair) -> Json:
    """Return the Secret of one certificate, with the authority to know the other side by."""
    (secret,) = fill_placeholders(deploy / "karmada-cert-secret.yaml", name=name, ca_crt=ca, tls_crt=leaf.cert, tls_key=leaf.key)
    return secret


def fill_placeholders(file: Path, **values: str | Path) -> list[Json]:
    """Return the documents of a file with its placeholders filled in: text as it is, a file's content in base64."""
    texts = {key: base64.b64encode(value.read_bytes()).decode() if isinstance(value, Path) else value for key, value in values.items()}
    return list(read(file, texts))


def member_kubeconfig(member: str, content: bytes) -> Json:
    """Return the Secret by which an estimator reaches its member."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{member}-kubeconfig", "namespace": NAMESPACE},
        "data": {f"{member}-kubeconfig": base64.b64encode(content).decode()},
    }


def component(deploy: Path, name: str, spec: KarmadaSpec, image: str, *, member: str = "") -> list[Json]:
    """Return upstream's workload and Services of a component with the spec's changes. UsageError when a change cannot be made."""
    values = {
        "service_type": "ClusterIP",
        "karmada_apiserver_version": f"v{spec.kubernetes}",
        "KUBE_CACHE_MUTATION_DETECTOR": "false",
        "member_cluster_name": member,
    }
    documents = list(read(deploy / f"{FILES.get(name, name)}.yaml", values))
    for document in documents:
        if document["kind"] in {"Deployment", "StatefulSet"}:
            document["spec"]["replicas"] = spec.settings(name).replicas
            containers = document["spec"]["template"]["spec"]["containers"]
            containers[0] = container(containers[0], name, spec, image)
    return documents


def container(given: Json, name: str, spec: KarmadaSpec, image: str) -> Json:
    """Return a component's container with the spec laid over its flags and environment."""
    program, *args = given["command"]
    try:
        before = parse_flags(args, strict=True)
    except ValueError as error:
        raise ProvisionError(f"reading a command of the release failed: {str(error)!r} is not a flag", where=" ".join(args)) from error
    if useless := sorted(set(spec.settings(name).without) - before.keys()):
        raise UsageError(
            f"{name} is not started with --{useless[0]}, so it cannot be dropped",
            where=f"karmada.components.{name}.without",
            remedy=f"it has: {', '.join(sorted(before))}",
        )
    wanted = apply_spec(Component(f"karmada/{name}", Path(program), {**before, **own_flags(name, spec)}, kind=name), spec)
    env = [entry for entry in given.get("env", []) if entry["name"] not in wanted.env]
    env += [{"name": key, "value": value} for key, value in wanted.env.items()]
    return {**given, "image": image, "command": [program, *render_flags(wanted.flags)], **({"env": env} if env else {})}


def own_flags(name: str, spec: KarmadaSpec) -> dict[str, str | None]:
    """Return the flags that follow from the rest of a spec."""
    flags: dict[str, str | None] = {}
    if (external := spec.etcd.external) and name in {"karmada-apiserver", "karmada-aggregated-apiserver", "karmada-search"}:
        flags |= {"etcd-servers": ",".join(external.servers), "etcd-prefix": external.prefix}
    if name == "karmada-scheduler" and not spec.addons.estimators:
        flags["enable-scheduler-estimator"] = "false"  # otherwise it calls a missing estimator for each member and binding
    return flags


def names(documents: Iterable[Json]) -> list[str]:
    """Return the names of the workloads among documents."""
    return [document["metadata"]["name"] for document in documents if document["kind"] in {"Deployment", "StatefulSet"}]


def estimators(deploy: Path, spec: KarmadaSpec, image: str, kubeconfigs: Mapping[str, Path]) -> list[Json]:
    """Return the Secret, workload and Service of each member's estimator, by the kubeconfig of each member."""
    found: list[Json] = []
    for member, kubeconfig in kubeconfigs.items():
        found.append(member_kubeconfig(member, kubeconfig.read_bytes()))
        found += component(deploy, "karmada-scheduler-estimator", spec, image, member=member)
    assert all(estimator(member) in names(found) for member in kubeconfigs)
    return found
