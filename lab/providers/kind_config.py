"""What kind is told of a cluster: mounts, networks, and kubeadm's and the kubelet's settings. Pure.

What differs from kubeadm's defaults saves work or waits, and nothing that a test of Karmada would see:

- ECDSA keys: of the sixteen that kubeadm makes, RSA ones take two seconds of a processor.
- The kubelet looks at every pod each three seconds, not each minute: it then asks the readiness of what is not ready again. A probe
  that came a moment too early is otherwise repeated after its period, and that of `karmadactl init`'s API server is half a minute.
- API server and controller manager collect garbage less often, and there is one CoreDNS for the one node (`lab.images.node.patch`).
- etcd does not wait for the disk, and controllers of which there is one elect no leader.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from lab.assets.refs import order
from lab.images import node
from lab.spec import ClusterSpec

Json = dict[str, Any]
NODE = "control-plane"
SERVICES = "10.96.0.0/16"
"""Addresses of Services, kind's default."""
SHARED = "/kind/lab"
"""Where the node sees the run's directory of its own: the audit policy, and the audit log that is written there."""
SECTIONS = {
    "kube-apiserver": ("apiServer",),
    "kube-controller-manager": ("controllerManager",),
    "kube-scheduler": ("scheduler",),
    "etcd": ("etcd", "local"),
}
"""Where kubeadm's ClusterConfiguration has the flags of each program."""
FLAGS: dict[str, dict[str, str]] = {
    "etcd": {"unsafe-no-fsync": "true"},  # a lab survives the end of its processes, not a power cut
    "kube-controller-manager": {"leader-elect": "false"},  # one instance each: nobody to win an election against
    "kube-scheduler": {"leader-elect": "false"},
}


def cluster(spec: ClusterSpec, *, archives: Path, folder: Path, network: Path, subnet: str, bounded: bool) -> Json:
    """Return kind's configuration of a cluster whose pods have the addresses of `subnet`.

    `archives`, `folder` and the file `network` are seen in the node at node.ARCHIVES, SHARED and node.CONFLIST.
    """
    kubelet: Json = {"kind": "KubeletConfiguration", "failCgroupV1": False, "syncFrequency": "3s"}
    if bounded:  # the kubelet lowers its own score otherwise, and raises limits
        kubelet |= {"oomScoreAdj": 0, "featureGates": {"KubeletInUserNamespace": True}}
    patches = [
        kubelet,
        {"kind": "ClusterConfiguration", **keys(spec.kubernetes), **programs(spec)},
        {"kind": "InitConfiguration", "patches": {"directory": node.PATCHES}},
    ]
    mounts = [
        {"hostPath": str(archives), "containerPath": node.ARCHIVES, "readOnly": True},
        {"hostPath": str(folder), "containerPath": SHARED},
        {"hostPath": str(network), "containerPath": node.CONFLIST, "readOnly": True},
    ]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"disableDefaultCNI": True, "podSubnet": subnet, "serviceSubnet": SERVICES},
        "kubeadmConfigPatches": [yaml.safe_dump(patch) for patch in patches],
        "nodes": [{"role": NODE, "extraMounts": mounts}],
    }


def keys(kubernetes: str) -> Json:
    """Return what has kubeadm make ECDSA keys: a gate in the configuration that kind writes before 1.36, a field in the one after."""
    if order(kubernetes) < order("1.36.0"):
        return {"featureGates": {"PublicKeysECDSA": True}}
    return {"encryptionAlgorithm": "ECDSA-P256"}


def programs(spec: ClusterSpec) -> Json:
    """Return the flags of the control plane as kubeadm has them: the audit log, this provider's, then the spec's."""
    flags = {name: {**FLAGS.get(name, {}), **spec.flags.get(name, {})} for name in SECTIONS}
    logged = {"audit-policy-file": f"{SHARED}/audit-policy.yaml", "audit-log-path": f"{SHARED}/audit.jsonl", "audit-log-mode": "batch"}
    flags["kube-apiserver"] = {**logged, "audit-log-maxsize": "100", "audit-log-maxbackup": "2", **flags["kube-apiserver"]}
    found: Json = {}
    for name, where in SECTIONS.items():
        inner = found
        for key in where:
            inner = inner.setdefault(key, {})
        inner["extraArgs"] = flags[name]
    volume = {"name": "lab", "hostPath": SHARED, "mountPath": SHARED, "pathType": "DirectoryOrCreate"}
    found["apiServer"]["extraVolumes"] = [volume]
    return found
