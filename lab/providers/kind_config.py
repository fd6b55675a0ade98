"""kind's configuration of a cluster: mounts, networks, and kubeadm's and the kubelet's settings. Pure.

What differs from kubeadm's defaults saves work or waits, and nothing that a test of Karmada would see:

- ECDSA keys: of the sixteen that kubeadm makes, RSA ones take two seconds of a processor.
- The kubelet looks at every pod each three seconds, not each minute: it then asks the readiness of what is not ready again. A probe
  that came a moment too early is otherwise repeated after its period, and that of `karmadactl init`'s API server is half a minute.
- API server and controller manager collect garbage less often, and there is one CoreDNS for the one node (`lab.images.node.patch`).
- etcd does not wait for the disk, and controllers of which there is one elect no leader.
- The controller manager makes its forty ServiceAccounts as fast as the API server takes them. At its default of 20 requests a second the
  taint of a node that is Ready stood for three seconds more, with the processors idle.
- Where no node joins there is no token to join by: with its roles, kubeadm has more to write than its client may at once, and pauses
  for 1.3 s.
- etcd speaks to its one client, the API server beside it, on loopback and in the clear: a connection for each kind of object there is
  makes a hundred handshakes.
- The kubelet is not restarted when kubeadm is done, to read its certificate, the same, from a file that is renewed: it holds a year.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from lab.images import node
from lab.kubernetes_versions import keep_known, knows
from lab.providers.provider import CLIENT_LIMITS
from lab.spec import ClusterSpec
from lab.yaml_text import dump_yaml

Json = dict[str, Any]
HEAD: Json = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4"}
NODE = "control-plane"
SHARED = "/kind/lab"
"""Where the node sees the run's directory of its own: the audit policy, and the audit log that is written there."""
SECTIONS = {
    "kube-apiserver": ("apiServer",),
    "kube-controller-manager": ("controllerManager",),
    "kube-scheduler": ("scheduler",),
    "etcd": ("etcd", "local"),
}
"""Where kubeadm's ClusterConfiguration has the flags of each program."""
STORE = "http://127.0.0.1:2379"
FLAGS: dict[str, dict[str, str]] = {
    "kube-apiserver": {"etcd-servers": STORE},
    # fsync: a lab survives the end of its processes, not a power cut
    "etcd": {"unsafe-no-fsync": "true", "listen-client-urls": STORE, "advertise-client-urls": STORE},
    "kube-controller-manager": {"leader-elect": "false", **CLIENT_LIMITS},  # one instance each: no election needed
    "kube-scheduler": {"leader-elect": "false"},
}


def list_roles(spec: ClusterSpec) -> dict[str, str]:
    """Return what kind calls the nodes of a cluster beside its name, the first one first, each with its role."""
    workers = range(1, 1 + sum(group.count for group in spec.workers))
    return {NODE: NODE, **{f"worker{number if number > 1 else ''}": "worker" for number in workers}}


def make_cluster_config(
    spec: ClusterSpec, *, archives: Path, folder: Path, networks: Mapping[str, Path], subnet: IPv4Network, bounded: bool
) -> Json:
    """Return kind's configuration of a cluster with the pod subnet `subnet`.

    `archives`, `folder` and the folder of each node in `networks` are seen in it at node.ARCHIVES, SHARED and node.NETWORKS.
    """
    # Where there are workers, the first node takes pods as they do: so kind leaves it where there are none.
    registration: Json = {"nodeRegistration": {"taints": []}} if spec.workers else {}
    patches = [
        {**make_kubelet_config(spec.kubernetes, bounded=bounded), "syncFrequency": "3s"},
        {"kind": "ClusterConfiguration", **make_key_settings(spec.kubernetes), **make_control_plane_flags(spec)},
        {
            "kind": "InitConfiguration",
            "patches": {"directory": node.PATCHES},
            "skipPhases": ["preflight", "kubelet-finalize", *([] if spec.workers else ["bootstrap-token", "show-join-command"])],
            **registration,
        },
    ]
    labels = [{}, *(group.all_labels for group in spec.workers for _ in range(group.count))]
    nodes = [
        {
            "role": role,
            **({"labels": labelled} if labelled else {}),
            "extraMounts": [
                {"hostPath": str(archives), "containerPath": node.ARCHIVES, "readOnly": True},
                {"hostPath": str(folder), "containerPath": SHARED},
                {"hostPath": str(networks[name]), "containerPath": node.NETWORKS, "readOnly": True},
            ],
        }
        for (name, role), labelled in zip(list_roles(spec).items(), labels, strict=True)
    ]
    return {
        **HEAD,
        "networking": {"disableDefaultCNI": True, "podSubnet": str(subnet), "serviceSubnet": node.SERVICES},
        "kubeadmConfigPatches": [dump_yaml(patch) for patch in patches],
        "nodes": nodes,
    }


def make_plain_config(kubernetes: str, *, bounded: bool) -> Json:
    """Return a configuration that leaves kind's defaults as they are, but for what this computer and node image cannot do without."""
    return {
        **HEAD,
        "networking": {"disableDefaultCNI": True},
        "kubeadmConfigPatches": [dump_yaml(make_kubelet_config(kubernetes, bounded=bounded))],
    }


def make_kubelet_config(kubernetes: str, *, bounded: bool) -> Json:
    """Return the settings without which the kubelet does not run here."""
    here: Json = {"kind": "KubeletConfiguration", **keep_known("kubelet", {"failCgroupV1": False}, kubernetes)}
    if bounded:  # it lowers its own score otherwise, and raises limits
        here |= {"oomScoreAdj": 0, "featureGates": {"KubeletInUserNamespace": True}}
    return here


def make_key_settings(kubernetes: str) -> Json:
    """Return what has kubeadm make ECDSA keys: a gate in the configuration that kind writes before 1.36, a field in the one after."""
    if not knows("kubeadm", "encryptionAlgorithm", kubernetes):
        return {"featureGates": {"PublicKeysECDSA": True}}
    return {"encryptionAlgorithm": "ECDSA-P256"}


def make_control_plane_flags(spec: ClusterSpec) -> Json:
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
