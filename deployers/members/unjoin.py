"""Take a member that was joined by push out of Karmada again, by `karmadactl unjoin`.

What Karmada had put on a ready member is deleted from it (karmada #4326), unless its policy says
`preserveResourcesOnDeletion`: then it stays, without Karmada's labels. Not so in a namespace that Karmada made on the
member: the namespace is deleted, and what was to stay with it (measured with 1.18.2).

Takes 22 to 30 s. The Works' namespace needs some 13 s, the cluster controller looks every 10 s whether it is gone
(CleanupCheckInterval), and Karmada's namespace on the member needs 5 s more (kube-controller-manager's grace).
Karmada's kube-controller-manager at its default of 20 requests a second makes that up to 54 s when six leave at once
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
    """Remove a member and return when it and all of Karmada's own on both sides is gone; tell whether that changed anything.

    Not registered: nothing is changed and False returned. UsageError: it is registered by pull, or another cluster
    bears its name. ProvisionError: karmadactl failed, for instance since the member does not answer. With `force` that
    is no error: after `within` seconds the control plane forgets the member, and the member keeps what Karmada had put
    there. NotReady: still there after `within` seconds.
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
    """Watch until what was deleted without waiting is gone: the secrets of the control plane, Karmada's namespace of a member that answers.

    A join under the same name before that would take over secrets that are about to be collected (pkg/util/secret.go, CreateSecret).
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
    """Return the error of a failed `karmadactl unjoin` or `unregister`: which side it was about, and what is left."""
    try:
        left = list_members(karmada).get(member.name)
    except LabError as cause:
        cause.detail = failed.output or None
        return cause
    state = f"{member.name} is still registered" if left else f"{member.name} is no longer registered, but not all is cleaned up"
    if not is_reachable(member):
        return ProvisionError(
            f"karmadactl {verb} failed because {member.name} does not answer; {state}",
            where=f"{member.kubeconfig}: {member.api.server}",
            detail=failed.output or None,
            remedy=f"start {member.name} again, or remove it with force: it then keeps what Karmada put there",
        )
    return ProvisionError(
        f"karmadactl {verb} of {member.name} failed{error_of(failed)}; {state}",
        where=f"{failed.machine}: {failed.command}",
        detail=failed.output or None,
        remedy="run it again" + (f"; what holds it up are finalizers of Works in karmada-es-{member.name}" if left else ""),
    )
