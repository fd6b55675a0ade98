"""The Karmada object of upstream's operator (operator.karmada.io/v1alpha1) from a spec, and the operator's own manifests.

The object sets every key of the spec. Of upstream's defaults it sets only those that a lab depends on: image names, since images are loaded
under them, and one replica where upstream's default is two.
"""

from __future__ import annotations

import copy
import hashlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployers.deployer import ImageUse
from deployers.names import NAMESPACE
from deployers.plane import manifests
from deployers.plane.flags import extra_args
from deployers.spec import KarmadaSpec

Json = dict[str, Any]
NAME = "karmada"
"""Of the object: the operator puts it before the names of all that it makes (karmada-apiserver)."""
API = "operator.karmada.io/v1alpha1"
TARBALL_URL = "http://local"
"""Upstream's own tests use it for an archive that is there already: it is looked for below the hash of its address, then not fetched."""
CACHE = f"/var/lib/karmada/cache/{hashlib.sha256(TARBALL_URL.encode()).hexdigest()}"
CRDS, ETCD_SECRET, CA_SECRET = "karmada-crds", f"{NAME}-etcd-cert", "given-ca"
"""What we name; the operator accepts one name only for the Secret of an external etcd."""
KEYS = {
    "karmada-apiserver": "karmadaAPIServer",
    "karmada-aggregated-apiserver": "karmadaAggregatedAPIServer",
    "kube-controller-manager": "kubeControllerManager",
    "karmada-controller-manager": "karmadaControllerManager",
    "karmada-scheduler": "karmadaScheduler",
    "karmada-webhook": "karmadaWebhook",
    "karmada-descheduler": "karmadaDescheduler",
    "karmada-search": "karmadaSearch",
    "karmada-metrics-adapter": "karmadaMetricsAdapter",
}
"""What the object calls the components, below spec.components."""
ALWAYS = ("karmada-metrics-adapter",)
"""Components that the operator makes whether the object names them or not (operator/pkg/apis/operator/v1alpha1/defaults.go)."""
ETCD_DATA = "/var/lib/karmada-etcd"
"""Of etcd, on its node."""
READS_ETCD = ("karmada-apiserver", "karmada-aggregated-apiserver", "karmada-search")


def karmada_object(spec: KarmadaSpec, uses: Mapping[str, ImageUse]) -> Json:
    """Return the object."""
    components: Json = {"etcd": etcd(spec, uses)}
    for component, key in KEYS.items():
        if spec.has(component) or component in ALWAYS:
            components[key] = settings(component, spec, uses)
    components["karmadaAPIServer"] |= {"serviceType": "NodePort"}
    if spec.certificates.hosts:
        components["karmadaAPIServer"]["certSANs"] = list(spec.certificates.hosts)
    certificate: Json = {"leafCertValidityDays": spec.certificates.days}
    if spec.certificates.ca:
        certificate["apiServerCACert"] = {"name": CA_SECRET, "namespace": NAMESPACE}
    return {
        "apiVersion": API,
        "kind": "Karmada",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "components": components,
            "crdTarball": {"httpSource": {"url": TARBALL_URL}, "crdDownloadPolicy": "IfNotPresent"},
            "customCertificate": certificate,
        },
    }


def settings(component: str, spec: KarmadaSpec, uses: Mapping[str, ImageUse]) -> Json:
    """Return the part of the object for one component."""
    use = uses[component]
    args = extra_args(spec, component)
    if component in READS_ETCD and spec.etcd.external:
        args = {"etcd-prefix": spec.etcd.external.prefix, **args}
    return {
        "imageRepository": use.repository,
        "imageTag": use.tag,
        "imagePullPolicy": "IfNotPresent",
        "replicas": spec.settings(component).replicas,
        **({"extraArgs": args} if args else {}),
    }


def etcd(spec: KarmadaSpec, uses: Mapping[str, ImageUse]) -> Json:
    """Return the part of the object for etcd: a local one with a directory of its node, or the addresses of an external one.

    (By default its data would be its pod's, and gone with it: an operator of a later release changes the pod.)
    """
    if external := spec.etcd.external:
        return {"external": {"endpoints": list(external.servers), "secretRef": {"name": ETCD_SECRET, "namespace": NAMESPACE}}}
    use = uses["etcd"]
    return {
        "local": {
            "imageRepository": use.repository,
            "imageTag": use.tag,
            "imagePullPolicy": "IfNotPresent",
            "replicas": 1,
            "volumeData": {"hostPath": {"path": ETCD_DATA, "type": "DirectoryOrCreate"}},
        }
    }


def secrets_of(spec: KarmadaSpec) -> list[Json]:
    """Return the Secrets that the object refers to: the files that the spec names."""
    found = []
    if external := spec.etcd.external:
        found.append(secret(ETCD_SECRET, {"ca.crt": external.ca, "tls.crt": external.cert, "tls.key": external.key}))
    if ca := spec.certificates.ca:
        found.append(secret(CA_SECRET, {"tls.crt": ca.cert, "tls.key": ca.key}))
    return found


def secret(name: str, files: Mapping[str, Path]) -> Json:
    data = {key: b64encode(path.read_bytes()).decode() for key, path in files.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "data": data}


def tarball(content: bytes) -> Json:
    """Return the ConfigMap that holds the archive of CRDs."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CRDS, "namespace": NAMESPACE},
        "binaryData": {"crds.tar.gz": b64encode(content).decode()},
    }


def operator_manifests(config: Path, image: str) -> list[Json]:
    """Return the operator's objects from upstream's operator/config: its CRD first, its Deployment last.

    Two things are changed: the image's tag, and the archive of CRDs is mounted where the operator looks for one that it has fetched. The
    directory around it must be writable, since it is unpacked there.
    """
    documents = [
        document
        for folder in ("crds", "deploy")
        for file in sorted((config / folder).glob("*.yaml"))
        for document in manifests.read(file, {})
    ]
    found = sorted((copy.deepcopy(document) for document in documents), key=lambda document: order(document["kind"]))
    for document in found:
        if document["kind"] == "Deployment":
            pod = document["spec"]["template"]["spec"]
            container = pod["containers"][0]
            container["image"] = image
            container.setdefault("volumeMounts", []).extend(
                [
                    {"name": "cache", "mountPath": CACHE},
                    {"name": CRDS, "mountPath": f"{CACHE}/crds.tar.gz", "subPath": "crds.tar.gz"},
                ]
            )
            pod.setdefault("volumes", []).extend([{"name": "cache", "emptyDir": {}}, {"name": CRDS, "configMap": {"name": CRDS}}])
    return found


def order(kind: str) -> int:
    """Return where in the order of installation objects of a kind come."""
    return {"CustomResourceDefinition": 0, "Deployment": 2}.get(kind, 1)
