"""Names that all of `deployers` shares: namespaces, steps, leases, and the component that a program is an instance of."""

from __future__ import annotations

NAME = "karmada"
"""The control plane's name in a run: of its programs, records and folders, and of its kubeconfig's context beside the members'."""
CONTEXT = "karmada-apiserver"
"""The context in every kubeconfig of Karmada; upstream's tests expect this name."""
NAMESPACE = "karmada-system"
"""Of Karmada's components: on the host cluster, on karmada-apiserver, and of its agent on a member."""
CLUSTER_NAMESPACE = "karmada-cluster"
"""Of the members' secrets and leases on the control plane, and of Karmada's accounts on a member (karmadactl's --cluster-namespace)."""
LOOPBACK = "127.0.0.1"
REVISION_BUMP = 1_000_000_000
"""How far a restore moves etcd's revision ahead: more than is ever written between a backup and its restore (Kubernetes' advice)."""

READY = "karmada"
"""The step that has passed when all of Karmada serves."""
JOINABLE = "karmada/joinable"
"""The step that has passed when members can be registered: CRDs, webhooks and aggregated API serve, controllers may not yet."""

LEASES = {
    "kube-controller-manager": "kube-system",
    "karmada-controller-manager": "karmada-system",
    "karmada-scheduler": "karmada-system",
    "karmada-descheduler": "karmada-system",
}
"""Components that elect a leader, and the namespace of their Lease, which has the component's name."""


def kind_of_instance(instance: str) -> str:
    """Return the component of an instance of which only the name is known: "karmada/karmada-scheduler-2" is a karmada-scheduler.

    Supervisors and pods report names. A Component has its `kind`.
    """
    name = instance.rpartition("/")[2]
    if name.startswith("karmada-scheduler-estimator-"):
        return "karmada-scheduler-estimator"
    stem, _, number = name.rpartition("-")
    return stem if number.isdigit() else name
