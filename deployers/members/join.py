"""Join a member in push mode, by `karmadactl join`.

Measured with karmadactl 1.18.2 on two cores: 4.3 s and 0.12 to 0.16 s of CPU a join, 2.3 s where `deployers.members.service_accounts`
existed before; then Ready within half a second. karmadactl mostly polls once a second, so members that
join at once do not slow each other down.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from deployers.members import owned_objects
from deployers.members.karmadactl import error_of, karmadactl, to_karmada
from deployers.members.member_record import MemberRecord
from deployers.members.registry import CLUSTERS, READY_WITHIN, Member, RunningKarmada, claim, cluster_id, list_members, wait_member_ready
from deployers.members.service_accounts import ensure_accounts
from deployers.members.terminating import wait_terminated
from deployers.names import CLUSTER_NAMESPACE
from lab.api import Json
from lab.cluster import Cluster
from lab.errors import CommandFailed, LabError, ProvisionError, UsageError


def join(
    karmada: RunningKarmada,
    member: Cluster,
    *,
    provider: str = "",
    region: str = "",
    zones: Sequence[str] = (),
    ahead: bool = True,
    within: float = READY_WITHIN,
) -> bool:
    """Join a member under its name and wait until it is Ready; return whether anything changed.

    Return False, with nothing changed, when this cluster is joined by push already. Raise UsageError, with nothing changed, when the name
    belongs to another cluster, the cluster has another name, it is joined by pull, or its kubeconfig is invalid; ProvisionError when
    member or control plane do not answer or karmadactl fails; NotReady when it is not Ready within `within` seconds.
    With `ahead`, create the accounts on the member before karmadactl looks for them; else karmadactl creates them.
    """
    changed = join_rights(karmada, member, provider=provider, region=region, zones=zones, ahead=ahead)
    wait_member_ready(karmada, member.name, within=within)
    return changed


def join_rights(
    karmada: RunningKarmada, member: Cluster, *, provider: str = "", region: str = "", zones: Sequence[str] = (), ahead: bool = True
) -> bool:
    """Register a member in push mode and wait for its Cluster object; return whether anything changed.

    Needs karmada-apiserver and the aggregated API alone, so it can overlap with the start of Karmada's controllers. Errors as in `join`.
    """
    if here := claim(karmada, member, "push"):
        adopt_secrets(karmada, here)
        return follow_endpoint(karmada, member, here)
    wait_terminated(karmada.cluster.api, f"karmada-es-{member.name}", on="Karmada")
    wait_terminated(member.api, CLUSTER_NAMESPACE, on=member.name)
    drop_orphans(karmada, member.name)
    MemberRecord("push", "joining").write(karmada.run, member.name)
    if ahead:
        ensure_accounts(member.api, member.name)
    optional = {"--cluster-provider": provider, "--cluster-region": region, "--cluster-zones": ",".join(zones)}
    try:
        karmadactl(
            karmada,
            "join",
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
            *(word for flag, value in optional.items() if value for word in (flag, value)),
        )
    except CommandFailed as failed:
        with suppress(LabError):
            if here := claim(karmada, member, "push"):  # another command joined it meanwhile, or only karmadactl's last request failed
                adopt_secrets(karmada, here)
                return True
        raise explain_failure(failed, karmada, member) from failed
    owned_objects.make_joined_record("push", member.name).write(karmada.run, member.name)
    return True


def explain_failure(failed: CommandFailed, karmada: RunningKarmada, member: Cluster) -> LabError:
    """Return the error of a failed `karmadactl join`, attributed to the member or to Karmada.

    karmadactl's text does not name the side ("The connection to the server 127.0.0.1:1 was refused"; one sentence for a taken name and a
    taken cluster), so both sides are asked again. An error that neither side explains keeps karmadactl's text.
    """
    try:
        claim(karmada, member, "push")
        list_members(karmada)
        cluster_id(member)
    except (UsageError, ProvisionError) as cause:
        cause.detail = failed.output or None
        return cause
    return ProvisionError(
        f"karmadactl join of {member.name} failed{error_of(failed)}",
        where=f"{failed.machine}: {failed.command}",
        detail=failed.output or None,
        remedy=f"both {member.name} and Karmada answer; run the command again, or by hand with --v=4",
    )


def drop_orphans(karmada: RunningKarmada, name: str) -> None:
    """Delete secrets that an interrupted join left without an owner: upstream would reuse them.

    karmadactl join keeps an existing secret of that name whatever its content (pkg/util/secret.go, CreateSecret), so the old token of
    a rebuilt member would stay and the member would never be Ready. Only secrets with Karmada's label and without an owner are deleted.
    """
    for path, secret in find_secrets(karmada, name):
        if secret and not secret["metadata"].get("ownerReferences") and "karmada.io/system" in secret["metadata"].get("labels", {}):
            karmada.cluster.api.delete(path)


def adopt_secrets(karmada: RunningKarmada, member: Member) -> None:
    """Make the Cluster own its secrets, as karmadactl's last request does: an interrupted join leaves them without an owner."""
    owner = {
        "apiVersion": "cluster.karmada.io/v1alpha1",
        "kind": "Cluster",
        "name": member.name,
        "uid": member.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    for path, secret in find_secrets(karmada, member.name):
        if secret and not secret["metadata"].get("ownerReferences"):
            karmada.cluster.api.patch(path, {"metadata": {"ownerReferences": [owner]}})


def follow_endpoint(karmada: RunningKarmada, member: Cluster, here: Member) -> bool:
    """Correct the address of a member that serves elsewhere now, as after its port was taken; return whether it was another one."""
    if here.endpoint.rstrip("/") == member.api.server.rstrip("/"):
        return False
    karmada.cluster.api.patch(f"{CLUSTERS}/{here.name}", {"spec": {"apiEndpoint": member.api.server}})
    return True


def find_secrets(karmada: RunningKarmada, name: str) -> list[tuple[str, Json | None]]:
    """Return path and object (None: not there) of the two secrets of a member on the control plane."""
    paths = [f"/api/v1/namespaces/{CLUSTER_NAMESPACE}/secrets/{secret}" for secret in (name, f"{name}-impersonator")]
    return [(path, karmada.cluster.api.find(path)) for path in paths]
