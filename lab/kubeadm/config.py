"""The configuration of a node: kubeadm's, containerd's, the balancer's, the network's. Pure."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab.images.node import SERVICES, make_cni_config
from lab.kubeadm import paths
from lab.kubeadm.facts import HostFacts
from lab.kubernetes_versions import keep_known, knows
from lab.yaml_text import dump_yaml

Json = dict[str, Any]
API = "kubeadm.k8s.io/v1beta4"
ONE_INSTANCE = {"leader-elect": "false"}
VOLUME_PLUGINS = f"{paths.ROOT}/volume-plugins"
"""A folder that the kubelet and kube-controller-manager make, by default in /usr."""


@dataclass(frozen=True)
class NodeAddress:
    """A machine of a cluster: its name, which is its node's, the address by which the others reach it, and its node's labels."""

    name: str
    address: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterConfig:
    """What the nodes of a cluster have in common. `flags` are layered over kubeadm's, by program."""

    name: str
    version: str
    control_planes: tuple[NodeAddress, ...]
    workers: tuple[NodeAddress, ...]
    pods: IPv4Network
    token: str
    certificate_key: str
    flags: Mapping[str, Mapping[str, str | None]]

    @property
    def nodes(self) -> tuple[NodeAddress, ...]:
        return (*self.control_planes, *self.workers)

    @property
    def balanced(self) -> bool:
        return len(self.control_planes) > 1

    @property
    def endpoint(self) -> str:
        """Return where nodes reach the API: the one server there is, or the balancer on each node's loopback."""
        return f"127.0.0.1:{paths.BALANCER_PORT}" if self.balanced else f"{self.control_planes[0].address}:{paths.API_PORT}"


def render(template: str, **values: Any) -> str:
    """Return a template of this package with these values."""
    folder = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(loader=folder, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 (no HTML)
    return environment.get_template(template).render(
        root=paths.ROOT, bin=paths.BIN, lib=paths.LIB, cni=paths.CNI, path=paths.PATH, state=paths.STATE, socket=paths.SOCKET, **values
    )


def make_node_texts(config: ClusterConfig, facts: HostFacts, *, pause: str) -> dict[str, str]:
    """Return the text files of a node by their path: units and configurations."""
    bounded = facts.bounded
    runc = f"{paths.BIN}/runc-within-bounds" if bounded else f"{paths.BIN}/runc"
    texts = {
        f"{paths.ROOT}/containerd.toml": render("containerd.toml.j2", pause=pause, bounded=bounded, runc=runc),
        f"{paths.UNITS}/{paths.CONTAINERD}": render("containerd.service.j2", bounded=bounded),
        f"{paths.UNITS}/{paths.KUBELET}": render("kubelet.service.j2", container=facts.container, containerd=paths.CONTAINERD),
        paths.CTR: f'#!/bin/sh\nexec {paths.BIN}/ctr --address {paths.SOCKET} "$@"\n',
    }
    if config.balanced:
        servers = [(node.name, node.address) for node in config.control_planes]
        ports = {"api_port": paths.API_PORT, "balancer_port": paths.BALANCER_PORT}
        texts[f"{paths.ROOT}/haproxy.cfg"] = render("haproxy.cfg.j2", servers=servers, **ports)
        texts[f"{paths.UNITS}/{paths.BALANCER}"] = render("haproxy.service.j2")
    return texts


def make_network(addresses: IPv4Network) -> str:
    """Return the network of a node that gives its pods these addresses and keeps all its files below ROOT."""
    config = make_cni_config(addresses)
    config["plugins"][0]["ipam"]["dataDir"] = f"{paths.CNI}/data"
    return json.dumps(config, indent=1)


def make_init_config(config: ClusterConfig, facts: HostFacts) -> str:
    """Return the configuration of `kubeadm init` on the first control plane."""
    first = config.control_planes[0]
    init = {
        "apiVersion": API,
        "kind": "InitConfiguration",
        "localAPIEndpoint": {"advertiseAddress": first.address, "bindPort": paths.API_PORT},
        "nodeRegistration": make_registration(config, first),
        "bootstrapTokens": [{"token": config.token, "ttl": "2h0m0s"}],
        "certificateKey": config.certificate_key,
    }
    return dump_documents(
        [make_cluster_configuration(config), init, make_kubelet_configuration(config.version, facts), make_proxy_configuration()]
    )


def make_join_config(config: ClusterConfig, node: NodeAddress, discovery: str) -> str:
    """Return the configuration of `kubeadm join`; `discovery` is the path there of the kubeconfig of the token."""
    join: Json = {
        "apiVersion": API,
        "kind": "JoinConfiguration",
        "nodeRegistration": make_registration(config, node),
        "discovery": {"file": {"kubeConfigPath": discovery}, "tlsBootstrapToken": config.token},
    }
    if node in config.control_planes:
        endpoint = {"advertiseAddress": node.address, "bindPort": paths.API_PORT}
        join["controlPlane"] = {"localAPIEndpoint": endpoint, "certificateKey": config.certificate_key}
    return dump_documents([join])


def make_discovery(config: ClusterConfig, authority: bytes) -> str:
    """Return the kubeconfig by which a node finds the cluster and trusts it."""
    data = b64encode(authority).decode()
    return dump_yaml(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "", "cluster": {"server": f"https://{config.endpoint}", "certificate-authority-data": data}}],
        }
    )


def make_registration(config: ClusterConfig, node: NodeAddress) -> Json:
    """Return how a node registers. Pods go to control planes where there is nothing else, as kind has it."""
    labels = ",".join(f"{name}={value}" for name, value in sorted(node.labels.items()))
    registration: Json = {
        "name": node.name,
        "criSocket": f"unix://{paths.SOCKET}",
        "kubeletExtraArgs": [
            {"name": "node-ip", "value": node.address},
            *([{"name": "node-labels", "value": labels}] if labels else []),
        ],
        # What the machine lacks is found before (lab.kubeadm.facts); these compare it with what is true of no container.
        "ignorePreflightErrors": [
            "SystemVerification",
            "Swap",
            "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables",
            "Mem",
            "NumCPU",
        ],
    }
    if node in config.control_planes and not config.workers:
        registration["taints"] = []
    return registration


def make_cluster_configuration(config: ClusterConfig) -> Json:
    """Return kubeadm's configuration of the whole cluster."""

    def args(program: str, **own: str) -> list[Json]:
        flags = {**own, **config.flags.get(program, {})}
        return [{"name": name, "value": value} for name, value in sorted(flags.items()) if value is not None]

    alone = {} if config.balanced else ONE_INSTANCE
    volumes = {"flex-volume-plugin-dir": VOLUME_PLUGINS}
    found: Json = {
        "apiVersion": API,
        "kind": "ClusterConfiguration",
        "clusterName": config.name,
        "kubernetesVersion": f"v{config.version}",
        "controlPlaneEndpoint": config.endpoint,
        "networking": {"podSubnet": str(config.pods), "serviceSubnet": SERVICES},
        "apiServer": {"extraArgs": args("kube-apiserver"), "certSANs": ["127.0.0.1", *(node.address for node in config.control_planes)]},
        "controllerManager": {"extraArgs": args("kube-controller-manager", **alone, **volumes)},
        "scheduler": {"extraArgs": args("kube-scheduler", **alone)},
        # A lab survives the end of its processes, not a power cut.
        "etcd": {"local": {"dataDir": f"{paths.ROOT}/etcd", "extraArgs": args("etcd", **{"unsafe-no-fsync": "true"})}},
    }
    if not knows("kubeadm", "encryptionAlgorithm", config.version):
        return {**found, "featureGates": {"PublicKeysECDSA": True}}
    return {**found, "encryptionAlgorithm": "ECDSA-P256"}


def make_kubelet_configuration(kubernetes: str, facts: HostFacts) -> Json:
    """Return the settings of a kubelet of this version on a machine with these facts."""
    here: Json = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "systemd",
        **keep_known("kubelet", {"failCgroupV1": False}, kubernetes),
        "failSwapOn": False,
        "syncFrequency": "3s",
        "volumePluginDir": VOLUME_PLUGINS,
        # The disk is shared with whatever else the machine is for: no pod is evicted and no image deleted for it.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
    }
    if facts.container:
        here["cgroupRoot"] = "/kubelet"
    if facts.bounded:  # it lowers its own score otherwise, and raises limits
        here |= {"oomScoreAdj": 0, "featureGates": {"KubeletInUserNamespace": True}}
    return here


def make_proxy_configuration() -> Json:
    """Return kube-proxy's settings: it raises no limit of the kernel's, which a container may not."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "conntrack": {"maxPerCore": 0},
    }


def dump_documents(documents: Sequence[Json]) -> str:
    """Return several YAML documents as one text."""
    return "---\n".join(dump_yaml(document) for document in documents)
