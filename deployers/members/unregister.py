"""Remove a pull member from Karmada, by `karmadactl unregister`, and stop its agent.

It gets Karmada's kubeconfig (--karmada-config), so that it deletes the agent's RBAC on the control plane too; without, upstream only
warns. The agent runs until then: it deletes Karmada's objects on the member. Takes 19 s: its Works are deleted before its namespace, so
that one check of the cluster controller is enough (see `deployers.members.unjoin`).
"""

from __future__ import annotations

from deployers.members import agent, owned_objects
from deployers.members.certificate_requests import delete_requests
from deployers.members.karmadactl import karmadactl
from deployers.members.member_record import MemberRecord, delete_record
from deployers.members.register import delete_election_lease, delete_partial_registration
from deployers.members.registry import CLUSTERS, RunningKarmada, find_registration, is_reachable
from deployers.members.unjoin import explain_failure, wait_settled
from deployers.names import CLUSTER_NAMESPACE, NAMESPACE
from lab.cluster import Cluster
from lab.errors import CommandFailed, ProvisionError
from lab.wait import NotYet, until

WORK = "/apis/work.karmada.io/v1alpha1"


def unregister(karmada: RunningKarmada, member: Cluster, *, force: bool = False, within: float = 60.0) -> bool:
    """Remove a member and its agent and wait until Karmada's objects are deleted on both sides; return whether anything changed.

    When it is not registered, still remove a running agent and the leftovers of an interrupted registration. Raise UsageError when it is
    joined by push; ProvisionError and NotReady as `deployers.members.unjoin` does. Upstream has no --force for pull members: with
    `force`, when karmadactl fails, stop the agent and delete the Cluster and its RBAC; Karmada's objects stay on the member.
    """
    here = find_registration(karmada, member, "pull", force=force)
    if here is None:
        known = MemberRecord.read(karmada.run, member.name)
        registered = known is not None and known.mode == "pull"
        if registered:
            agent.stop_agent(karmada, member.name)
            delete_partial_registration(karmada, member)
            delete_record(karmada.run, member.name)
        return registered
    mute = agent.agent_kubeconfig(karmada, member.name).exists() and not agent.agent_runs(karmada, member.name)
    if mute and not force:
        raise ProvisionError(  # karmadactl would wait until its timeout
            f"the agent of {member.name} is not running, so nothing would delete Karmada's objects there",
            where=str(karmada.run.log(agent.agent_name(member.name))),
            remedy=f"start it (register {member.name} again does), or remove {member.name} with force",
        )
    if mute or (force and not is_reachable(member)):
        abandon(karmada, member, within=within)
    else:
        try:
            karmadactl(
                karmada,
                "unregister",
                member.name,
                *("--karmada-config", str(karmada.cluster.kubeconfig), "--karmada-context", karmada.cluster.context),
                *("--cluster-kubeconfig", str(member.kubeconfig), "--cluster-context", member.context),
                *("--cluster-namespace", CLUSTER_NAMESPACE, "--namespace", NAMESPACE),
                f"--wait={within:g}s",
                within=within + 30.0,
            )
        except CommandFailed as failed:
            if not force:
                raise explain_failure(failed, karmada, member, "unregister") from failed
            abandon(karmada, member, within=within)
    agent.stop_agent(karmada, member.name)
    delete_upstream_leftovers(karmada, member.name)
    wait_settled(karmada, member)
    delete_record(karmada.run, member.name)
    return True


def abandon(karmada: RunningKarmada, member: Cluster, *, within: float) -> None:
    """Delete a pull member from the control plane without its agent, and Karmada's own objects from the member if it answers.

    Propagated objects stay there. The Works' finalizers are removed as `karmadactl unjoin --force` does for
    push members: the cluster controller would do it too, but only once the member counts as not ready
    (pkg/controllers/cluster, removeExecutionSpace).
    """
    api = karmada.cluster.api
    agent.stop_agent(karmada, member.name)
    api.delete(f"{CLUSTERS}/{member.name}")

    def forgotten() -> None:
        left = api.items(f"{WORK}/namespaces/karmada-es-{member.name}/works")
        for work in left:
            if work["metadata"].get("finalizers"):
                api.patch(
                    f"{WORK}/namespaces/karmada-es-{member.name}/works/{work['metadata']['name']}", {"metadata": {"finalizers": None}}
                )
        if left or api.find(f"{CLUSTERS}/{member.name}"):
            raise NotYet(f"{len(left)} Works of {member.name} are there, and its registration")

    until(forgotten, what=f"Karmada forgets {member.name}", within=within, every=1.0)
    for trace in owned_objects.list_owned("pull", "control plane", registered=True):
        api.delete(trace.at(member.name))
    if is_reachable(member):
        for trace in owned_objects.list_owned("pull", "member"):
            if not trace.lingers:
                member.api.delete(trace.at(member.name))


def delete_upstream_leftovers(karmada: RunningKarmada, name: str) -> None:
    """Delete what upstream leaves on the control plane and what would delay the next registration of that name.

    The lease of the agent's election, which a new agent would wait for (15 s), and the certificate requests, which stay an hour.
    """
    delete_election_lease(karmada, name)
    delete_requests(karmada, name)
