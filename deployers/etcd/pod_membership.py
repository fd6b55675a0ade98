"""Members of the lab's own etcd in pods come and go while it serves: add, remove, replace one without its volume, grow from one to three.

As in `membership`: a new member begins as a learner, what is wanted is recorded before etcd is asked for it, and each function goes on
where an earlier one was interrupted. Karmada keeps one address of etcd, so nothing of it restarts. A StatefulSet numbers its pods, so
members are added and removed at the end of the row.
"""

from __future__ import annotations

from deployers.etcd.health import EtcdHealth
from deployers.etcd.membership import list_learner, promote, require_removable
from deployers.etcd.pod import PodEtcdClient
from deployers.karmada import Karmada
from deployers.plane import pending_operation
from deployers.pods.etcd import manifests
from deployers.pods.etcd.install import RECORD, STATEFUL_SET, WITHIN, member_count, record_members, wait_own_etcd
from deployers.pods.etcd.names import NAMESPACED, OWN_ETCD, member_names, peer_address, runs_own_etcd
from lab.errors import NotPossible, UsageError
from lab.hints import command
from lab.wait import NotYet, until

MOST = 3
ADDING = "adding members to etcd"


def require_own(karmada: Karmada) -> None:
    """Raise NotPossible for an etcd in pods that upstream's installer brought: it is of one member for good."""
    if not runs_own_etcd(karmada.spec):
        raise NotPossible(
            "the members of this etcd cannot change: upstream's installer made it, of one member",
            where=str(karmada.run.path),
            remedy=OWN_ETCD,
        )


def add(karmada: Karmada, name: str | None = None) -> Karmada:
    """Add the next member; return the changed control plane. UsageError for another name, or when there are three."""
    require_own(karmada)
    count = member_count(karmada)
    going_on = pending_operation.facts_of(karmada.run, ADDING) is not None
    following = member_names(count)[-1] if going_on else next(iter(member_names(MOST)[count:]), None)
    if following is None or name not in {None, following}:
        raise UsageError(
            f"{name} cannot be added" if following else "there are three members already",
            where=f"members: {', '.join(member_names(count))}",
            remedy=f"the next is {following}; replace one that has lost its data by: "
            f"{command('etcd', 'replace', 'NAME', lab=karmada.run.id)}",
        )
    return add_until(karmada, count if going_on else count + 1)


def grow(karmada: Karmada) -> Karmada:
    """Grow etcd to three members, if it has fewer. Return the changed control plane."""
    require_own(karmada)
    going_on = pending_operation.facts_of(karmada.run, ADDING) is not None
    return add_until(karmada, MOST) if going_on or member_count(karmada) < MOST else karmada


def add_until(karmada: Karmada, count: int) -> Karmada:
    """Add members, one after the other, until there are so many. The last recorded one may have been added in part."""
    PodEtcdClient.of(karmada).health()  # there is a quorum, or nothing can be changed
    with pending_operation.hold_pending(karmada.run, ADDING, again=command("etcd", "grow", lab=karmada.run.id)):
        first = member_count(karmada)
        for number in range(first, count + 1):
            if number > first:
                karmada = record_members(karmada, number)
            add_voter(karmada, member_names(number)[-1])
    return karmada


def remove(karmada: Karmada, name: str) -> Karmada:
    """Remove the last member and its volume; return the changed control plane.

    UsageError, with nothing changed: it is not the last, or the members that would be left and serve are no majority of those left.
    """
    require_own(karmada)
    etcd = PodEtcdClient.of(karmada)
    what = f"removing {name} from etcd"
    going_on = pending_operation.facts_of(karmada.run, what) is not None
    names = member_names(member_count(karmada) + going_on)
    health = etcd.health()
    if name in names and name != names[-1]:
        raise UsageError(
            f"{name} cannot be removed before {names[-1]}: a StatefulSet removes its last pod",
            where=f"members: {', '.join(names)}",
            remedy=f"{command('etcd', 'remove', names[-1], lab=karmada.run.id)}; replace one that has lost its data by: "
            f"{command('etcd', 'replace', name, lab=karmada.run.id)}",
        )
    listed = {member.name for member in health.members}
    if name in listed or not going_on:
        require_removable(health, name, lab=karmada.run.id)
    with pending_operation.hold_pending(karmada.run, what, again=command("etcd", "remove", name, lab=karmada.run.id)):
        if not going_on:
            karmada = record_members(karmada, len(names) - 1)
        if name in listed:
            remove_from_list(etcd, health, name)
        scale(karmada, len(names) - 1)
        drop_volume(karmada, name)
        configure_start(karmada, joining=False)
        wait_all_vote(karmada)
    return karmada


def replace(karmada: Karmada, name: str) -> Karmada:
    """Replace a member that is lost, its volume too, by a new one of the same name.

    UsageError, with nothing changed: it is alive, or the others that serve are no majority.
    """
    require_own(karmada)
    etcd = PodEtcdClient.of(karmada)
    health = etcd.health()
    what = f"replacing {name} in etcd"
    lost = next((member for member in health.members if member.name == name), None)
    going_on = pending_operation.facts_of(karmada.run, what) is not None
    if not going_on:
        if lost and lost.answers:
            raise UsageError(f"{name} is alive: it answers at {lost.client}", remedy="only a member that is lost can be replaced")
        require_removable(health, name, lab=karmada.run.id)
    with pending_operation.hold_pending(karmada.run, what, again=command("etcd", "replace", name, lab=karmada.run.id)):
        if lost and not lost.answers:
            remove_from_list(etcd, health, name)
        add_voter(karmada, name)
    return karmada


# -- the parts -----------------------------------------------------------------------------------------------------------


def remove_from_list(etcd: PodEtcdClient, health: EtcdHealth, name: str) -> None:
    """Remove a member from etcd's list; one that leads hands the lead over first."""
    mine = next(member for member in health.members if member.name == name)
    successor = next((member for member in health.voters if member.answers and member.name != name), None)
    if mine.leads and successor:  # or there is no leader until an election ends
        etcd.ctl("move-leader", successor.id, at=mine.client)
    other = next(member.client for member in health.members if member.name != name and member.answers)
    etcd.ctl("member", "remove", mine.id, at=other)


def add_voter(karmada: Karmada, name: str) -> None:
    """Add a member, and return when it has caught up and votes. The volume of a member that never started is deleted first."""
    etcd, peer = PodEtcdClient.of(karmada), peer_address(name)
    mine = next((item for item in etcd.members() if peer in item["peerURLs"]), None)
    if mine is None:
        again = command("etcd", "health", lab=karmada.run.id)
        until(lambda: list_learner(etcd, name, peer), what=f"etcd takes {name} as a member", within=30.0, remedy=again)
    if mine is None or not mine.get("name"):
        configure_start(karmada, joining=True)
        drop_volume(karmada, name)
    scale(karmada, member_count(karmada))
    until(lambda: promote_started(karmada, peer), what=f"{name} has caught up and votes", within=WITHIN, every=1.0)
    configure_start(karmada, joining=False)
    wait_all_vote(karmada)


def promote_started(karmada: Karmada, peer: str) -> None:
    """Promote a member to a voter. NotYet while it has not started, or has not caught up."""
    etcd = PodEtcdClient.of(karmada)  # pods come and go meanwhile
    item = next(each for each in etcd.members() if peer in each["peerURLs"])
    if not item.get("name"):
        raise NotYet("it has not started")
    promote(etcd, peer)


def configure_start(karmada: Karmada, *, joining: bool) -> None:
    """Configure how a member without data starts, and how many pods may be away: it joins while one is added, and does not start else."""
    host, count = karmada.lab.host.api, member_count(karmada)
    token = (karmada.run.recorded(*RECORD) or {})["token"]
    host.apply(manifests.initial_members(member_names(count), token, joining=joining, closed=not joining))
    host.apply(manifests.disruption_budget(count))


def scale(karmada: Karmada, count: int) -> None:
    """Set the number of pods."""
    karmada.lab.host.api.patch(STATEFUL_SET, {"spec": {"replicas": count}})


def drop_volume(karmada: Karmada, name: str) -> None:
    """Delete a member's pod and volume, at once and for good; return when both are gone, or others have tsuccessor names."""
    host = karmada.lab.host.api
    paths = [f"{NAMESPACED}/persistentvolumeclaims/data-{name}", f"{NAMESPACED}/pods/{name}"]
    there = {path: found["metadata"]["uid"] for path in paths if (found := host.find(path))}
    for path in there:
        host.delete(path, gracePeriodSeconds="0")

    def gone() -> None:
        left = [path for path, uid in there.items() if ((host.find(path) or {}).get("metadata") or {}).get("uid") == uid]
        if left:
            raise NotYet(f"still there: {', '.join(left)}")

    until(gone, what=f"pod and volume of {name} are deleted", within=60.0, every=0.5)


def wait_all_vote(karmada: Karmada) -> None:
    """Return when every member is ready, answers and votes."""
    wait_own_etcd(karmada)
    PodEtcdClient.of(karmada).until_well()
