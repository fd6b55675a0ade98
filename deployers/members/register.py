"""Join a member in pull mode, by `karmadactl token create`, `karmadactl register` and a real karmada-agent.

Three things about register (karmada 1.17.1 to 1.18.2, pkg/karmadactl/register/register.go), each measured:
- it ends with status 0 when its preflight fails, so `missing_objects` checks what exists;
- it looks for the token's signature at once and then every 5 s, so `create_bootstrap_token` waits for it first;
- when a Cluster of that name exists, it fails and deletes the RBAC of *that* cluster's agent: `claim` has to refuse first.
It takes 4 s and 0.8 s of CPU (two RSA keys, two certificates looked for once a second); the agent is Ready 5 s after its start, 3 s where
`deployers.members.service_accounts` existed before. It writes no local file.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping

from deployers.members import owned_objects
from deployers.members.agent import agent_component, agent_kubeconfig, agent_runs, bring_agent
from deployers.members.bootstrap_token import create_bootstrap_token
from deployers.members.certificate_requests import delete_requests, is_issued, list_requests
from deployers.members.karmadactl import error_of, karmadactl
from deployers.members.member_record import MemberRecord, delete_record
from deployers.members.registry import READY_WITHIN, RunningKarmada, claim, wait_member_ready
from deployers.members.service_accounts import ensure_accounts
from deployers.members.terminating import wait_terminated
from deployers.names import CLUSTER_NAMESPACE, NAMESPACE
from lab import component
from lab.cluster import Cluster
from lab.component import Flags
from lab.errors import CommandFailed, LabError, ProvisionError
from lab.run import write_private

SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/karmada-kubeconfig"


def register(
    karmada: RunningKarmada,
    member: Cluster,
    *,
    image: str | None = None,
    flags: Flags | None = None,
    env: Mapping[str, str] | None = None,
    ahead: bool = True,
    within: float = READY_WITHIN,
) -> bool:
    """Join a member by pull and wait until it is Ready and its lease is held; return whether anything changed.

    The agent is a process of the lab, with `flags` and `env` over its own; given an `image`, it is the pod that register deploys (for
    members where pods run). When the member is joined by pull already, start its agent if it does not run and return False. Raise
    UsageError, with nothing changed, as `deployers.members.join` does; ProvisionError when a side does not answer or register failed;
    ComponentExited when the agent ended; NotReady on a timeout.
    """
    changed = register_agent(karmada, member, image=image, within=within)
    if image is None:
        if ahead and changed:
            ensure_accounts(member.api, member.name)
        start_agent(karmada, member, flags=flags, env=env)
    wait_member_ready(karmada, member.name, within=within)
    wait_agent_lease(karmada, member.name, within=within)
    owned_objects.make_joined_record("pull", member.name).write(karmada.run, member.name)
    return changed


def start_agent(karmada: RunningKarmada, member: Cluster, *, flags: Flags | None = None, env: Mapping[str, str] | None = None) -> None:
    """Start the agent of a registered member with the credentials from register; wait until it is healthy.

    A running agent is left alone. Healthy: it has registered the member, and the Cluster object exists.
    """
    if not agent_runs(karmada, member.name):
        write_private(agent_kubeconfig(karmada, member.name), agent_credentials(member))
        delete_election_lease(karmada, member.name)
    bring_agent(karmada, member)
    component.start(agent_component(karmada, member, flags=flags, env=env), karmada.run)


def wait_agent_lease(karmada: RunningKarmada, name: str, *, within: float) -> None:
    """Wait until the agent holds its heartbeat lease, from its first Ready status on. Raise NotReady on a timeout."""
    karmada.cluster.api.until(
        f"{owned_objects.LEASES}/{CLUSTER_NAMESPACE}/leases/{name}",
        lambda lease: None if lease.get("spec", {}).get("holderIdentity") == name else "the lease has no holder",
        what=f"the agent of {name} renews its lease",
        within=within,
    )


def delete_election_lease(karmada: RunningKarmada, name: str) -> None:
    """Delete the lease of the agent's leader election, while no agent of this lab holds it.

    An agent that ends does not release it, and its successor waits 15 s from when it first sees the lease, however old that is
    (client-go, tools/leaderelection). `unregister` leaves the lease too.
    """
    karmada.cluster.api.delete(f"{owned_objects.LEASES}/{NAMESPACE}/leases/karmada-agent-{name}")


def register_agent(karmada: RunningKarmada, member: Cluster, *, image: str | None = None, within: float = READY_WITHIN) -> bool:
    """Run `karmadactl register` and check that it created every object; return whether anything changed.

    The agent, and with it the Cluster object, follow later. Leftovers of an interrupted registration of this run are deleted first;
    other leftovers fail register's own preflight.
    """
    if claim(karmada, member, "pull"):
        if missing := missing_objects(karmada, member):
            raise ProvisionError(
                f"{member.name} is registered, but its agent's permissions are incomplete: missing {missing[0]}",
                where=", ".join(missing),
                remedy=f"unregister {member.name} with force, then register it again",
            )
        return False
    wait_terminated(karmada.cluster.api, f"karmada-es-{member.name}", on="Karmada")
    for namespace in (CLUSTER_NAMESPACE, NAMESPACE):
        wait_terminated(member.api, namespace, on=member.name)
    known = MemberRecord.read(karmada.run, member.name)
    if known and known.state == "registered" and not missing_objects(karmada, member):
        return True
    if known and known.mode == "pull":
        delete_partial_registration(karmada, member)
    foreign = any(member.api.find(trace.at(member.name)) for trace in owned_objects.list_owned("pull", "member", registered=True))
    MemberRecord("pull", "registering").write(karmada.run, member.name)
    token, args = create_bootstrap_token(karmada)
    try:
        done = karmadactl(
            karmada,
            *args,
            *("--kubeconfig", str(member.kubeconfig), "--context", member.context),
            *("--cluster-name", member.name, "--cluster-namespace", CLUSTER_NAMESPACE, "--namespace", NAMESPACE),
            *(("--karmada-agent-image", image) if image else ("--karmada-agent-replicas", "0")),
            f"--discovery-timeout={within:g}s",
            within=within + 30.0,
        )
        if missing := missing_objects(karmada, member, token=token):
            raise silent_failure(member, missing, done.stdout + done.stderr)
    except LabError as error:
        if not foreign:  # else the objects belong to an earlier registration
            delete_partial_registration(karmada, member)
        delete_record(karmada.run, member.name)
        raise explain_failure(error, karmada, member) if isinstance(error, CommandFailed) else error from error
    finally:
        karmada.cluster.api.delete(f"/api/v1/namespaces/kube-system/secrets/bootstrap-token-{token}")
    MemberRecord("pull", "registered").write(karmada.run, member.name)
    return True


def missing_objects(karmada: RunningKarmada, member: Cluster, *, token: str | None = None) -> list[str]:
    """Return the objects that register should have created and that do not exist. With `token`, check its certificate request too.

    Kubernetes deletes requests an hour after approval, so check them only right after register.
    """
    missing = [
        f"{side}: {trace.at(member.name)}"
        for side, api in (("control plane", karmada.cluster.api), ("member", member.api))
        for trace in owned_objects.list_owned("pull", "member" if side == "member" else "control plane", registered=True)
        if api.find(trace.at(member.name)) is None
    ]
    if token is not None and not any(is_issued(request) for request in list_requests(karmada, member.name, token)):
        missing.append(f"control plane: an approved and issued certificate request of {member.name}")
    return missing


def agent_credentials(member: Cluster) -> bytes:
    """Return the agent's kubeconfig for Karmada, which register stored on the member."""
    secret = member.api.find(SECRET)
    if secret is None:
        raise ProvisionError(
            f"the credentials of {member.name}'s agent are missing",
            where=f"{member.api.server}{SECRET}",
            remedy=f"unregister {member.name} and register it again",
        )
    return b64decode(secret["data"]["karmada-kubeconfig"])


def delete_partial_registration(karmada: RunningKarmada, member: Cluster) -> None:
    """Delete the objects of an unfinished registration; only while no Cluster of that name exists.

    karmadactl unregister refuses without a Cluster, and a failed register removes only its RBAC: its certificate requests and the
    namespace of the Works stay (measured).
    """
    for trace in owned_objects.list_owned("pull", "member", registered=True):
        member.api.delete(trace.at(member.name))
    for trace in owned_objects.list_owned("pull", "control plane", registered=True):
        karmada.cluster.api.delete(trace.at(member.name))
    karmada.cluster.api.delete(f"/api/v1/namespaces/karmada-es-{member.name}")
    delete_requests(karmada, member.name)


def silent_failure(member: Cluster, missing: list[str], output: str) -> ProvisionError:
    """Return the error of a register that exited with status 0 and did not register."""
    return ProvisionError(
        f"karmadactl register of {member.name} ended with status 0 and registered nothing: missing {missing[0]}"
        + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""),
        where=f"{member.kubeconfig}, context {member.context}",
        detail=output,
        remedy=f"remove the earlier registration that its preflight found: karmadactl unregister {member.name}, or delete it from"
        f" namespace {NAMESPACE} of {member.name}",
    )


def explain_failure(failed: CommandFailed, karmada: RunningKarmada, member: Cluster) -> LabError:
    """Return the error of a failed `karmadactl register`; karmadactl's own text where neither side explains it."""
    try:
        claim(karmada, member, "pull")
    except LabError as cause:
        cause.detail = failed.output or None
        return cause
    return ProvisionError(
        f"karmadactl register of {member.name} failed{error_of(failed)}",
        where=f"{failed.machine}: {failed.command}",
        detail=failed.output or None,
        remedy=f"both {member.name} and Karmada answer; are bootstrap-token configuration, csrsigning and agentcsrapproving there?",
    )
