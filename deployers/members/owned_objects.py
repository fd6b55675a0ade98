"""The objects that Karmada owns on both sides of a member, for both modes. `deployers.members.leftovers` asserts each.

From karmada 1.18.2: pkg/karmadactl/{join,unjoin,register,unregister}, pkg/util/credential.go,
pkg/controllers/{cluster,unifiedauth}. `lingers` says why upstream does not remove an object
(measured on 1.18.2); such a leftover is no fault of the lab.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deployers.members.member_record import MemberRecord
from deployers.members.registry import CLUSTERS, Mode
from deployers.names import CLUSTER_NAMESPACE, NAMESPACE

Side = Literal["control plane", "member"]
RBAC = "/apis/rbac.authorization.k8s.io/v1"
CORE = "/api/v1/namespaces"
LEASES = "/apis/coordination.k8s.io/v1/namespaces"
BOTH: frozenset[Mode] = frozenset({"push", "pull"})
PULL: frozenset[Mode] = frozenset({"pull"})


@dataclass(frozen=True)
class OwnedObject:
    """One object of a registered member. `path` contains `{name}`. `registered`: register creates it, before the agent runs."""

    side: Side
    path: str
    modes: frozenset[Mode] = BOTH
    registered: bool = False
    lingers: str = ""

    def at(self, name: str) -> str:
        """Return the path for a member of this name."""
        return self.path.format(name=name)


def on_control_plane(path: str, modes: frozenset[Mode] = BOTH, *, registered: bool = False, lingers: str = "") -> OwnedObject:
    """Return an object on the control plane."""
    return OwnedObject("control plane", path, modes, registered, lingers)


def on_member(path: str, modes: frozenset[Mode] = BOTH, *, registered: bool = False, lingers: str = "") -> OwnedObject:
    """Return an object on the member."""
    return OwnedObject("member", path, modes, registered, lingers)


OWNED_OBJECTS = (
    on_control_plane(f"{CLUSTERS}/{{name}}"),
    on_control_plane(f"{CORE}/karmada-es-{{name}}"),
    on_control_plane(f"{CORE}/{CLUSTER_NAMESPACE}/secrets/{{name}}"),
    on_control_plane(f"{CORE}/{CLUSTER_NAMESPACE}/secrets/{{name}}-impersonator"),
    on_control_plane(f"{CORE}/{NAMESPACE}/services/karmada-scheduler-estimator-{{name}}"),
    on_control_plane(f"{RBAC}/clusterroles/system:karmada:{{name}}:agent", PULL, registered=True),
    on_control_plane(f"{RBAC}/clusterrolebindings/system:karmada:{{name}}:agent", PULL, registered=True),
    on_control_plane(f"{RBAC}/namespaces/{CLUSTER_NAMESPACE}/roles/system:karmada:{{name}}:agent-secret", PULL, registered=True),
    on_control_plane(f"{RBAC}/namespaces/{CLUSTER_NAMESPACE}/rolebindings/system:karmada:{{name}}:agent-secret", PULL, registered=True),
    on_control_plane(f"{RBAC}/namespaces/karmada-es-{{name}}/roles/system:karmada:{{name}}:agent-work", PULL, registered=True),
    on_control_plane(f"{RBAC}/namespaces/karmada-es-{{name}}/rolebindings/system:karmada:{{name}}:agent-work", PULL, registered=True),
    on_control_plane(f"{LEASES}/{CLUSTER_NAMESPACE}/leases/{{name}}", PULL),
    on_control_plane(f"{LEASES}/{NAMESPACE}/leases/karmada-agent-{{name}}", PULL, lingers="the agent's election; nothing deletes it"),
    on_member(f"{RBAC}/clusterroles/karmada-controller-manager:karmada-{{name}}"),
    on_member(f"{RBAC}/clusterrolebindings/karmada-controller-manager:karmada-{{name}}"),
    on_member(f"{RBAC}/clusterroles/karmada-impersonator"),
    on_member(f"{RBAC}/clusterrolebindings/karmada-impersonator"),
    on_member(f"{CORE}/{CLUSTER_NAMESPACE}/serviceaccounts/karmada-{{name}}"),
    on_member(f"{CORE}/{CLUSTER_NAMESPACE}/serviceaccounts/karmada-impersonator"),
    on_member(f"{CORE}/{CLUSTER_NAMESPACE}/secrets/karmada-{{name}}"),
    on_member(f"{CORE}/{CLUSTER_NAMESPACE}/secrets/karmada-impersonator"),
    on_member(f"{CORE}/{CLUSTER_NAMESPACE}"),
    on_member(f"{RBAC}/clusterroles/karmada-agent", PULL, registered=True),
    on_member(f"{RBAC}/clusterrolebindings/karmada-agent", PULL, registered=True),
    on_member(f"{CORE}/{NAMESPACE}/serviceaccounts/karmada-agent-sa", PULL, registered=True),
    on_member(f"{CORE}/{NAMESPACE}/secrets/karmada-kubeconfig", PULL, registered=True),
    on_member(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/karmada-agent", PULL, registered=True),
    on_member(f"{CORE}/{NAMESPACE}", PULL, lingers="register makes the namespace, unregister deletes only what is in it"),
)


LATER = tuple(f"{RBAC}/{kind}/karmada-impersonator" for kind in ("clusterroles", "clusterrolebindings"))
"""Objects that Karmada's controllers create on a member shortly after it is Ready."""


def make_joined_record(mode: Mode, name: str) -> MemberRecord:
    """Return the record of a member that was joined, with the objects that `lab status` looks for on it."""
    needed = [owned.at(name) for owned in list_owned(mode, "member") if not owned.lingers]
    return MemberRecord(mode, "joined", tuple(path for path in needed if path not in LATER), LATER)


def list_owned(mode: Mode, side: Side, *, registered: bool = False) -> list[OwnedObject]:
    """Return the objects of one side for a mode; with `registered` only those that `karmadactl register` creates."""
    return [trace for trace in OWNED_OBJECTS if trace.side == side and mode in trace.modes and (trace.registered or not registered)]
