"""What an operator in a cluster needs there besides its definitions: a namespace, an account and the least rights.

The rights are those of the reconciler and no others: a test with the account alone shows that none is missing.
"""

from __future__ import annotations

from typing import Any

from deployers.operator.api import GROUP
from deployers.operator.kube import PLURAL

Json = dict[str, Any]
NAMESPACE = NAME = "karmada-lab-operator"
LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/managed-by": "karmada-lab"}


def make_rules(*, webhook: bool = False) -> list[Json]:
    """Return the rights on objects of all namespaces; with `webhook` those to register it, too."""
    rules = [
        rule([GROUP], [PLURAL], ["get", "list", "watch", "patch"]),
        rule([GROUP], [f"{PLURAL}/status"], ["patch"]),
        rule([GROUP], [f"{PLURAL}/finalizers"], ["update"]),  # an owner reference that blocks the owner's deletion
        rule([""], ["secrets"], ["get", "create", "patch"]),
        rule([""], ["events"], ["create", "patch"]),
        rule([""], ["namespaces"], ["get"], names=["kube-system"]),
    ]
    if webhook:
        kinds = ["validatingwebhookconfigurations"]
        rules.append(rule(["admissionregistration.k8s.io"], kinds, ["create"]))
        rules.append(rule(["admissionregistration.k8s.io"], kinds, ["get", "patch", "delete"], names=[NAME]))
    return rules


def make_lease_rules() -> list[Json]:
    """Return the rights in the operator's own namespace."""
    group = ["coordination.k8s.io"]
    return [rule(group, ["leases"], ["create"]), rule(group, ["leases"], ["get", "update"], names=[NAME])]


def rule(groups: list[str], resources: list[str], verbs: list[str], *, names: list[str] | None = None) -> Json:
    """Return one rule of a role."""
    return {"apiGroups": groups, "resources": resources, "verbs": verbs, **({"resourceNames": names} if names else {})}


def make_manifests(*, webhook: bool = False) -> list[Json]:
    """Return the objects in the order in which they can be applied."""
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    spaced = {"name": NAME, "namespace": NAMESPACE, "labels": LABELS}
    everywhere = {"name": NAME, "labels": LABELS}
    rbac = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": LABELS}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": spaced},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": everywhere, "rules": make_rules(webhook=webhook)},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": everywhere,
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": NAME},
            "subjects": [subject],
        },
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": spaced, "rules": make_lease_rules()},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": spaced,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": NAME},
            "subjects": [subject],
        },
    ]
