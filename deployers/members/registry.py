"""Members of a Karmada as its API lists them, and the checks that both ways of joining share.

    push   karmada-controller-manager connects to the member:  deployers.members.join, deployers.members.unjoin
    pull   a karmada-agent of the member connects to Karmada:  deployers.members.register, deployers.members.unregister
    leftovers after either:  deployers.members.leftovers

The identity of a member is the UID of its namespace kube-system, as upstream has it (karmada pkg/util/cluster.go, ObtainClusterID); a
name does not identify a cluster. karmadactl has one message for a taken name and a taken UID; `claim` checks first and tells them
apart, and accepts the same cluster under the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from lab.api import Json, Refused, Unreachable
from lab.cluster import Cluster
from lab.errors import LabError, ProvisionError, UsageError
from lab.hints import command
from lab.machines.machine import Machine
from lab.run import Run

CLUSTERS = "/apis/cluster.karmada.io/v1alpha1/clusters"
LABELS = {"karmada.io/system": "true"}
"""The labels of namespaces and accounts that karmadactl creates (pkg/util/constants.go, KarmadaSystemLabel)."""

READY_WITHIN = 120.0
"""Seconds for a member to become Ready in Karmada, in either mode and wherever its agent runs."""

Mode = Literal["push", "pull"]
REMOVED_BY = {"push": "unjoin", "pull": "unregister"}


class Programs(Protocol):
    """**Protocol:** where the programs of a Karmada version are; `deployers.release.Release` is one."""

    def binary(self, name: str) -> Path: ...


class RunningKarmada(Protocol):
    """**Protocol:** what members need of a running Karmada; `deployers.karmada.Karmada` is one."""

    @property
    def run(self) -> Run: ...

    @property
    def cluster(self) -> Cluster:
        """karmada-apiserver, with the kubeconfig of an administrator."""
        ...

    @property
    def release(self) -> Programs: ...

    @property
    def machine(self) -> Machine: ...


@dataclass(frozen=True)
class Member:
    """A Cluster object of the control plane. `id` is the UID of the member's kube-system; `uid` that of the object itself."""

    name: str
    id: str
    uid: str
    mode: Mode
    endpoint: str
    ready: bool
    leaving: bool

    @classmethod
    def of(cls, item: Json) -> Member:
        """Read a Cluster object."""
        metadata, spec = item["metadata"], item.get("spec", {})
        return cls(
            name=metadata["name"],
            id=spec.get("id", ""),
            uid=metadata.get("uid", ""),
            mode="pull" if spec.get("syncMode") == "Pull" else "push",
            endpoint=spec.get("apiEndpoint", ""),
            ready=not_ready(item) is None,
            leaving=bool(metadata.get("deletionTimestamp")),
        )


def list_members(karmada: RunningKarmada) -> dict[str, Member]:
    """Return the registered members by name. ProvisionError when the control plane does not answer."""
    try:
        found = [Member.of(item) for item in karmada.cluster.api.items(CLUSTERS)]
    except (Unreachable, Refused) as error:
        raise control_plane_error(karmada, error) from error
    return {member.name: member for member in sorted(found, key=lambda member: member.name)}


def not_ready(item: Json) -> str | None:
    """Return why a Cluster object is not Ready, or None when it is."""
    for condition in item.get("status", {}).get("conditions", []):
        if condition.get("type") == "Ready":
            return None if condition.get("status") == "True" else f"Ready is {condition.get('status')}: {condition.get('message', '')}"
    return "no status yet"


def wait_member_ready(karmada: RunningKarmada, name: str, *, within: float = READY_WITHIN) -> Member:
    """Wait until a member is Ready in Karmada and return it. Karmada takes its first status as soon as it is registered.

    Raise NotReady with the last message of the Ready condition.
    """
    remedy = f"see the logs of karmada-controller-manager (push) or the member's karmada-agent (pull) in {karmada.run.path / 'logs'}"
    try:
        item = karmada.cluster.api.until(
            f"{CLUSTERS}/{name}", not_ready, what=f"member {name} is Ready in Karmada", within=within, remedy=remedy
        )
    except (Unreachable, Refused) as error:
        raise control_plane_error(karmada, error) from error
    return Member.of(item)


def cluster_id(member: Cluster) -> str:
    """Return the UID of a member's namespace kube-system.

    Raise UsageError when its kubeconfig is invalid or the member rejects its credentials, ProvisionError when the member does not answer.
    Both name the file.
    """
    try:
        uid: str = member.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    except Refused as error:
        if error.status not in {401, 403}:
            raise
        raise UsageError(
            f"{member.name} does not accept the credentials in its kubeconfig: {error.message}",
            where=f"{member.kubeconfig}, context {member.context}",
            remedy=f"give the kubeconfig of an administrator of {member.name}",
        ) from error
    except Unreachable as error:
        raise ProvisionError(
            f"{member.name} does not answer at the address in its kubeconfig: {error.what}",
            where=f"{member.kubeconfig}: {member.api.server}",
            remedy=f"is {member.name} up, and is this its address and its CA? kubectl --kubeconfig {member.kubeconfig} get --raw /readyz",
        ) from error
    return uid


def claim(karmada: RunningKarmada, member: Cluster, mode: Mode, *, within: float = 60.0) -> Member | None:
    """Return the registration of this cluster under this name and in this mode; None when the name is free.

    Raise UsageError, with nothing changed, when another cluster has the name, the cluster has another name, or it is joined in the other
    mode. Wait up to `within` seconds for a terminating registration of that name.
    """
    name, uid = member.name, cluster_id(member)
    known = list_members(karmada)
    if (here := known.get(name)) and here.leaving:
        karmada.cluster.api.until_gone(f"{CLUSTERS}/{name}", what=f"the earlier registration {name} is removed", within=within)
        known = list_members(karmada)
        here = known.get(name)
    if here and here.id != uid:
        raise UsageError(
            f"the name {name} is taken: another cluster is registered under it",
            where=f"registered: {here.endpoint} (id {here.id}); given: {member.api.server} (id {uid})",
            remedy=f"join it under another name, or remove the other first: karmadactl {REMOVED_BY[here.mode]} {name}",
        )
    if here and here.mode != mode:
        raise UsageError(
            f"{name} is joined already, but by {here.mode}",
            where=f"{karmada.cluster.api.server}{CLUSTERS}/{name}",
            remedy=f"remove it first: karmadactl {REMOVED_BY[here.mode]} {name}",
        )
    if here:
        return here
    if other := next((each for each in known.values() if each.id == uid), None):
        raise UsageError(
            f"this cluster is registered already, under the name {other.name}",
            where=f"{member.api.server} (id of its kube-system: {uid})",
            remedy=f"use it as {other.name}, or remove that first: karmadactl {REMOVED_BY[other.mode]} {other.name}",
        )
    return None


def find_registration(karmada: RunningKarmada, member: Cluster, mode: Mode, *, force: bool = False) -> Member | None:
    """Return the registration of this cluster that is to be removed; None when there is none of that name.

    Raise UsageError when it has the other mode or belongs to another cluster, ProvisionError when the member does not answer and could
    not be cleaned up; `force` skips both checks, unless the other cluster is a member itself. Nothing is changed before: karmadactl
    would notice only halfway.
    """
    known = list_members(karmada)
    here = known.get(member.name)
    if here is None:
        return None
    if here.mode != mode:
        raise UsageError(
            f"{member.name} is joined by {here.mode}",
            where=f"{karmada.cluster.api.server}{CLUSTERS}/{member.name}",
            remedy=f"remove it by: karmadactl {REMOVED_BY[here.mode]} {member.name}",
        )
    try:
        uid = cluster_id(member)
    except (ProvisionError, UsageError) as away:
        if force:
            return here
        away.remedy = f"start {member.name} again, or remove it with force: Karmada's objects then stay on it"
        raise
    if uid != here.id:
        other = next((each.name for each in known.values() if each.id == uid), None)
        if force and other is None:  # it was rebuilt: the registered cluster no longer exists, and this one is not a member
            return here
        raise UsageError(
            f"the name {member.name} is another cluster's",
            where=f"registered: {here.endpoint} (id {here.id}); given: {member.api.server} (id {uid})",
            remedy=f"this cluster is registered as {other}: remove it by that name"
            if other
            else f"give the kubeconfig of the cluster that is registered; if {member.name} was rebuilt, remove the old one with force",
        )
    return here


def is_reachable(member: Cluster) -> bool:
    """Return whether a member answers and accepts the credentials, so that objects can be deleted there."""
    try:
        cluster_id(member)
    except LabError:
        return False
    return True


def control_plane_error(karmada: RunningKarmada, error: LabError) -> LabError:
    """Return the error of a control plane that does not answer or has no aggregated API."""
    if isinstance(error, Refused) and error.status in {401, 403}:
        return UsageError(
            f"Karmada does not accept the credentials in its kubeconfig: {error.message}",
            where=f"{karmada.cluster.kubeconfig}, context {karmada.cluster.context}",
            remedy="give the kubeconfig of an administrator of Karmada",
        )
    if isinstance(error, Refused):
        return ProvisionError(
            f"Karmada's aggregated API does not answer: {error.message}",
            where=f"{karmada.cluster.api.server}{CLUSTERS} ({error.status})",
            remedy=f"is karmada-aggregated-apiserver up? {command('status', lab=karmada.run.id)}",
        )
    return ProvisionError(
        f"Karmada does not answer: {error.what}",
        where=f"{karmada.cluster.kubeconfig}: {karmada.cluster.api.server}",
        remedy=f"is its karmada-apiserver up? {command('status', lab=karmada.run.id)}",
    )
