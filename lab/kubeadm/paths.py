"""Where a node's things are, on the machine. What lies outside of ROOT is what kubeadm and the kubelet insist on."""

from __future__ import annotations

ROOT = "/var/lib/karmada-lab/kubernetes"
BIN, LIB, CNI = f"{ROOT}/bin", f"{ROOT}/lib", f"{ROOT}/cni"
OWNER, PREPARED, JOINED = f"{ROOT}/owner.json", f"{ROOT}/prepared", f"{ROOT}/joined"
"""The run and cluster that the node belongs to, what was brought, and the mark of a node that kubeadm has finished."""
ROUTES = f"{ROOT}/routes"
"""The routes to the pods of other nodes, as `ip -batch` takes them."""
STATE = "/run/karmada-lab"
SOCKET = f"{STATE}/containerd.sock"
CTR = f"{BIN}/ctr-of-node"
"""containerd's client for this node's containerd, which is not the machine's own."""
UNITS = "/etc/systemd/system"
CONTAINERD, BALANCER, KUBELET = "karmada-lab-containerd.service", "karmada-lab-balancer.service", "kubelet.service"
"""The units; kubeadm starts the kubelet by this name."""
MADE_BY_KUBEADM = ("/etc/kubernetes", "/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers")
"""Folders that belong to a node and lie outside of ROOT."""
PATH = f"{BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
API_PORT, BALANCER_PORT = 6443, 16443
