"""Remove a push member from Karmada, by `karmadactl unjoin`.

Karmada deletes its objects from a ready member (karmada #4326), except those of a policy with `preserveResourcesOnDeletion`: these
stay, without Karmada's labels. In a namespace that Karmada created on the member they do not stay: the namespace is deleted with all
that is in it (measured with 1.18.2).

Takes 22 to 30 s. The Works' namespace needs some 13 s, the cluster controller checks it every 10 s
(CleanupCheckInterval), and Karmada's namespace on the member needs 5 s more (kube-controller-manager's grace).
Karmada's kube-controller-manager at its default of 20 requests a second makes that up to 54 s when six are removed at once
(measured; 28 s with 200).
"""

from __future__ import annotations

from deployers.members.karmadactl import error_of, karmadactl, to_karmada
from deployers.members.member_record import delete_record
from deployers.members.registry import CLUSTERS, RunningKarmada, find_registration, is_reachable, list_members
from deployers.names import CLUSTER_NAMESPACE
from lab.cluster import Cluster
from lab.errors import CommandFailed, LabError, ProvisionError


def unjoin(karmada: RunningKarmada, member: Cluster, *, force: bool = False, within: float = 60.0) -> bool:
    """Remove a member and wait until Karmada's objects are deleted on both sides; return whether anything changed.

    Return False when it is not registered. Raise UsageError when it is registered by pull or another cluster has its name; ProvisionError
    when karmadactl failed, for example because the member does not answer; NotReady when it is not removed within `within` seconds.
    With `force` a member that does not answer is removed after `within` seconds, and Karmada's objects stay on it.
    """
    here = find_registration(karmada, member, "push", force=force)
    if here is None:
        return False
    try:
        karmadactl(
            karmada,
            "unjoin",
            member.name,
            *to_karmada(karmada),
            *(
                "--cluster-kubeconfig",
                str(member.kubeconfig),
                "--cluster-context",
                member.context,
                "--cluster-namespace",
                CLUSTER_NAMESPACE,
            ),
            f"--wait={within:g}s",
            *(("--force",) if force else ()),
            within=within + 30.0,
        )
    except CommandFailed as failed:
        raise explain_failure(failed, karmada, member, "unjoin") from failed
    wait_settled(karmada, member)
    delete_record(karmada.run, member.name)
    return True


def wait_settled(karmada: RunningKarmada, member: Cluster, *, within: float = 30.0) -> None:
    """Wait until Karmada's secrets on the control plane and its namespace on a reachable member are deleted.

    An earlier join under the same name would reuse secrets that are about to be garbage-collected (pkg/util/secret.go, CreateSecret).
    """
    api = karmada.cluster.api
    api.until_gone(f"{CLUSTERS}/{member.name}", what=f"the registration of {member.name} is removed", within=within)
    for secret in (member.name, f"{member.name}-impersonator"):
        api.until_gone(f"/api/v1/namespaces/{CLUSTER_NAMESPACE}/secrets/{secret}", what=f"the secret {secret} is removed", within=within)
    api.until_gone(f"/api/v1/namespaces/karmada-es-{member.name}", what=f"the namespace of {member.name}'s Works is removed", within=within)
    if is_reachable(member):
        member.api.until_gone(
            f"/api/v1/namespaces/{CLUSTER_NAMESPACE}", what=f"Karmada's namespace on {member.name} is removed", within=within
        )


def explain_failure(failed: CommandFailed, karmada: RunningKarmada, member: Cluster, verb: str) -> LabError:
    """Return the error of a failed `karmadactl unjoin` or `unregister`: the side at fault, and whether the member is still registered."""
    try:
        left = list_members(karmada).get(member.name)
    except LabError as cause:
        cause.detail = failed.output or None
        return cause
    state = f"{member.name} is still registered" if left else f"{member.name} is no longer registered, but cleanup is incomplete"
    if not is_reachable(member):
        return ProvisionError(
            f"karmadactl {verb} failed because {member.name} does not answer; {state}",
            where=f"{member.kubeconfig}: {member.api.server}",
            detail=failed.output or None,
            remedy=f"start {member.name} again, or remove it with force: Karmada's objects then stay on it",
        )
    return ProvisionError(
        f"karmadactl {verb} of {member.name} failed{error_of(failed)}; {state}",
        where=f"{failed.machine}: {failed.command}",
        detail=failed.output or None,
        remedy="run it again" + (f"; the deletion waits for finalizers of Works in karmada-es-{member.name}" if left else ""),
    )
