"""What Karmada needs on clusters that exist already and puts there: for `lab.existing`, which takes it away with nothing but this."""

from __future__ import annotations

from deployers.deployer import get_deployer
from deployers.members import owned_objects
from deployers.members.leftovers import MANAGED
from deployers.names import CLUSTER_NAMESPACE, NAMESPACE
from deployers.spec import KarmadaSpec
from lab.existing.footprint import Footprint
from lab.existing.preflight import ClusterNeeds
from lab.existing.rights import EVERYTHING, make_rights
from lab.spec import Capability, LabSpec

RBAC = "rbac.authorization.k8s.io"
ROLES = tuple(f"/apis/{RBAC}/v1/{kind}" for kind in ("clusterroles", "clusterrolebindings"))
MEMBER_RIGHTS = (
    *make_rights("list delete", "*", "*"),
    *make_rights("get create delete", "namespaces"),
    *make_rights("get create update delete", "serviceaccounts"),
    *make_rights("get create update delete", "secrets"),
    *(right for kind in ("clusterroles", "clusterrolebindings") for right in make_rights("get create update delete", kind, RBAC)),
    *make_rights("escalate bind", "clusterroles", RBAC),
)
"""What `karmadactl join` does as the user of the kubeconfig: it gives Karmada's account every right, which takes escalate and bind."""
PULL_RIGHTS = make_rights("get create update delete", "deployments", "apps")
"""And `karmadactl register`."""
FOREIGN = Footprint(
    paths=(f"/api/v1/namespaces/{CLUSTER_NAMESPACE}", f"/api/v1/namespaces/{NAMESPACE}"),
    labels=(MANAGED,),
    names=(*((kind, "(.*:)?karmada.*") for kind in ROLES), ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", r".*\.karmada\.io")),
    node_labels=("karmada.io/",),
)
"""What shows that a cluster belongs to a Karmada, as its host or its member. Of either it must be free."""
HOST = Footprint(paths=(f"/api/v1/namespaces/{NAMESPACE}",), names=FOREIGN.names, node_labels=FOREIGN.node_labels)


def list_cluster_needs(lab: LabSpec, karmada: KarmadaSpec | None) -> dict[str, ClusterNeeds]:
    """Return what Karmada needs on each cluster of a lab that exists, and puts there; nothing for a lab of bare clusters."""
    if karmada is None:
        return {}
    found = {member.name: make_member_needs(member.name, pull=member.mode == "pull") for member in lab.members if member.kubeconfig}
    if lab.host.kubeconfig:
        pods = Capability.PODS in get_deployer(karmada.deployer).needs
        found[lab.host.name] = ClusterNeeds((EVERYTHING,), HOST, FOREIGN) if pods else ClusterNeeds(foreign=FOREIGN)
    return found


def make_member_needs(name: str, *, pull: bool) -> ClusterNeeds:
    """Return what a member needs: its footprint is that of both modes, for it may be joined in either later."""
    owned = {owned.at(name) for mode in ("push", "pull") for owned in owned_objects.list_owned(mode, "member")}
    footprint = Footprint(paths=tuple(sorted(owned)), labels=(MANAGED,))
    return ClusterNeeds((*MEMBER_RIGHTS, *(PULL_RIGHTS if pull else ())), footprint, FOREIGN)
