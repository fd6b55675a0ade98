"""The arguments of `karmadactl init` and `karmadactl addons enable`, from a spec: as flags, or as the file that --config takes.

Both forms are equivalent; `by_karmadactl.config_file` of the spec chooses. Upstream's defaults are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployers.deployer import ImageUse
from deployers.names import NAMESPACE
from deployers.plane.certificates import host_of
from deployers.plane.flags import extra_args
from deployers.pods.host import NODE_PORT
from deployers.pods.images import CONTROL_PLANE
from deployers.spec import KarmadaSpec
from lab.cluster import Cluster
from lab.pki import is_address

NO_ARGUMENTS = "karmadactl addons enable takes no flags for it"

Json = dict[str, Any]
STORAGE, EPHEMERAL = "hostPath", "emptyDir"
"""Where etcd keeps its data: on its node's disk, init's default; or in its pod, where nodes are not the lab's to clean up."""
WAIT = 120
"""Seconds that init waits for each component; it then continues, and `deployers.pods.workloads` finds the failed pods."""
NAMES = {
    "etcd": "etcd",
    "karmada-apiserver": "karmada-apiserver",
    "kube-controller-manager": "karmada-kube-controller-manager",
    "karmada-aggregated-apiserver": "karmada-aggregated-apiserver",
    "karmada-webhook": "karmada-webhook",
    "karmada-controller-manager": "karmada-controller-manager",
    "karmada-scheduler": "karmada-scheduler",
}
"""What init's flags call the components."""
KEYS = {
    "karmada-apiserver": "karmadaAPIServer",
    "kube-controller-manager": "kubeControllerManager",
    "karmada-aggregated-apiserver": "karmadaAggregatedAPIServer",
    "karmada-webhook": "karmadaWebhook",
    "karmada-controller-manager": "karmadaControllerManager",
    "karmada-scheduler": "karmadaScheduler",
}
"""What its file calls them, below spec.components."""


@dataclass(frozen=True)
class Places:
    """What init needs to know of this computer: the host cluster, the directories it writes, the archive of CRDs."""

    host: Cluster
    data: Path
    pki: Path
    crds: Path
    storage: str = STORAGE


def names_and_addresses(spec: KarmadaSpec) -> tuple[list[str], list[str]]:
    """Return the DNS names and the IP addresses that certificates are to have besides init's own."""
    hosts = [*spec.certificates.hosts, *([host_of(spec.load_balancer)] if spec.load_balancer else [])]
    addresses = [host for host in hosts if is_address(host)]
    return [host for host in hosts if host not in addresses], addresses


def port(spec: KarmadaSpec) -> int:
    """Return the NodePort of karmada-apiserver: the load balancer's own port where there is one, since init knows one port only."""
    return int(spec.load_balancer.rpartition(":")[2]) if spec.load_balancer else NODE_PORT


def as_flags(spec: KarmadaSpec, uses: Mapping[str, ImageUse], places: Places) -> list[str]:
    """Return the arguments of `karmadactl init` as flags."""
    flags: dict[str, str] = {
        "kubeconfig": str(places.host.kubeconfig),
        "context": places.host.context,
        "namespace": NAMESPACE,
        "karmada-data": str(places.data),
        "karmada-pki": str(places.pki),
        "crds": str(places.crds),
        "port": str(port(spec)),
        "kube-image-tag": uses["karmada-apiserver"].tag,
        "wait-component-ready-timeout": str(WAIT),
        "cert-validity-period": f"{spec.certificates.days * 24}h",
        **{f"{name}-image": uses[name].name for name in CONTROL_PLANE},
    }
    if spec.registry:
        flags["private-image-registry"] = spec.registry
    if spec.load_balancer:
        flags["karmada-apiserver-advertise-address"] = host_of(spec.load_balancer)
    names, addresses = names_and_addresses(spec)
    flags |= {"cert-external-dns": ",".join(names)} if names else {}
    flags |= {"cert-external-ip": ",".join(addresses)} if addresses else {}
    if ca := spec.certificates.ca:
        flags |= {"ca-cert-file": str(ca.cert), "ca-key-file": str(ca.key)}
    if external := spec.etcd.external:
        flags |= {
            "external-etcd-servers": ",".join(external.servers),
            "external-etcd-ca-cert-path": str(external.ca),
            "external-etcd-client-cert-path": str(external.cert),
            "external-etcd-client-key-path": str(external.key),
            "external-etcd-key-prefix": external.prefix,
        }
    else:
        flags |= {"etcd-image": uses["etcd"].name, "etcd-storage-mode": places.storage}
    for component, name in NAMES.items():
        if (replicas := spec.settings(component).replicas) > 1:
            flags[f"{name}-replicas"] = str(replicas)
        if args := extra_args(spec, component):
            flags[f"{name}-extra-args"] = ",".join(f"--{flag}={value}" for flag, value in args.items())
    return [f"--{flag}={value}" for flag, value in sorted(flags.items())]


def as_config(spec: KarmadaSpec, uses: Mapping[str, ImageUse], places: Places) -> Json:
    """Return the document for `karmadactl init --config`."""

    def settings(component: str) -> Json:
        args = extra_args(spec, component)
        section: Json = {"replicas": spec.settings(component).replicas}
        if component in CONTROL_PLANE or component == "etcd":
            section |= {"repository": uses[component].repository, "tag": uses[component].tag}
        return section | ({"extraArgs": [{"name": name, "value": value} for name, value in args.items()]} if args else {})

    names, addresses = names_and_addresses(spec)
    certificates: Json = {"validityPeriod": f"{spec.certificates.days * 24}h", "externalDNS": names, "externalIP": addresses}
    if ca := spec.certificates.ca:
        certificates |= {"caCertFile": str(ca.cert), "caKeyFile": str(ca.key)}
    if external := spec.etcd.external:
        etcd: Json = {
            "external": {
                "endpoints": list(external.servers),
                "caFile": str(external.ca),
                "certFile": str(external.cert),
                "keyFile": str(external.key),
                "keyPrefix": external.prefix,
            }
        }
    else:
        etcd = {"local": {**settings("etcd"), "storageMode": places.storage}}
    components = {key: settings(component) for component, key in KEYS.items()}
    components["karmadaAPIServer"]["networking"] = {"namespace": NAMESPACE, "port": port(spec)}
    if spec.load_balancer:
        components["karmadaAPIServer"]["advertiseAddress"] = host_of(spec.load_balancer)
    images: Json = {"kubeImageTag": uses["karmada-apiserver"].tag}
    if spec.registry:
        images["privateRegistry"] = {"registry": spec.registry}
    return {
        "apiVersion": "config.karmada.io/v1alpha1",
        "kind": "KarmadaInitConfig",
        "spec": {
            "certificates": certificates,
            "etcd": etcd,
            "hostCluster": {"kubeconfig": str(places.host.kubeconfig), "context": places.host.context},
            "images": images,
            "components": components,
            "karmadaCRDs": str(places.crds),
            "karmadaDataPath": str(places.data),
            "karmadaPKIPath": str(places.pki),
            "waitComponentReadyTimeout": WAIT,
        },
    }


def addons(spec: KarmadaSpec, uses: Mapping[str, ImageUse]) -> list[str]:
    """Return the arguments of `karmadactl addons enable` for the control plane's addons; empty without addons."""
    asked = {
        "karmada-descheduler": spec.addons.descheduler,
        "karmada-search": spec.addons.search,
        "karmada-metrics-adapter": spec.addons.metrics_adapter,
    }
    names = [name for name, wanted in asked.items() if wanted]
    return [
        *names,
        *(f"--{name}-image={uses[name].name}" for name in names),
        *(f"--{name}-replicas={spec.settings(name).replicas}" for name in names),
    ]


def estimator(spec: KarmadaSpec, uses: Mapping[str, ImageUse], member: Cluster) -> list[str]:
    """Return the arguments of `karmadactl addons enable` for the estimator of a member."""
    name = "karmada-scheduler-estimator"
    return [
        name,
        f"--cluster={member.name}",
        f"--member-kubeconfig={member.kubeconfig}",
        f"--member-context={member.context}",
        f"--{name}-image={uses[name].name}",
        f"--karmada-estimator-replicas={spec.settings(name).replicas}",
    ]


def unsupported_flags(spec: KarmadaSpec) -> list[str]:
    """Return the flags that init would not take as they are, as refusals."""
    found = []
    for component, name in NAMES.items():
        for flag, value in extra_args(spec, component).items():
            where = f"components.{component}.flags.{flag}"
            if spec.by_karmadactl.config_file and not value:
                found.append(
                    f"{where}: a --config file gives a flag without a value as a bare one; leave by_karmadactl.config_file off for it"
                )
            if not spec.by_karmadactl.config_file and any(is_ambiguous(part) for part in value.split(",")):
                found.append(f"{where}: {value!r} cannot be an item of --{name}-extra-args; set by_karmadactl.config_file for it")
            if "." in flag:
                found.append(f"{where}: init allows no dot in a flag's name")
    return found


def is_ambiguous(part: str) -> bool:
    """Tell whether init would not read this value back from its comma-separated list."""
    return part != part.strip() or '"' in part or "\n" in part or part.startswith("--")


def args(spec: KarmadaSpec, uses: Mapping[str, ImageUse], places: Places, config: Path) -> Sequence[str]:
    """Return the arguments of `karmadactl` for `init`; `config` is the path of the configuration file where the spec uses one."""
    return ["init", f"--config={config}"] if spec.by_karmadactl.config_file else ["init", *as_flags(spec, uses, places)]
