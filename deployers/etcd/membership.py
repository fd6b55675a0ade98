"""Members of Karmada's own etcd come and go while it serves: add, remove, replace a dead one, grow from one to three.

A new member begins as a learner, which has no vote until it has caught up: so no step of this has a smaller majority than before. API
servers get the new addresses at the end, by restarting one after the other. What is wanted is written into the run before
etcd is asked for it, and each function goes on where an earlier one was interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace as replaced

from deployers.by_binary.installation import BinaryInstallation, open_plane
from deployers.etcd.client import BaseEtcdClient, EtcdClient
from deployers.etcd.health import EtcdHealth, quorum
from deployers.karmada import Karmada
from deployers.plane import pending_operation
from deployers.plane.layout import choose_place, etcd_addresses, etcds, open_places, record_etcds
from deployers.spec import ETCDS
from lab import component
from lab.component import parse_flags
from lab.errors import CommandFailed, ProvisionError, UsageError
from lab.hints import command
from lab.machines.placement import place_run
from lab.programs import read_programs
from lab.wait import NotYet, until

CALLERS = ("karmada-apiserver", "karmada-aggregated-apiserver", "karmada-search")
"""Components that are given etcd's addresses."""
GRACE = 1.0
"""Seconds that an API server gets to end. It waits for open watches; clients that elect a leader give up after ten seconds."""


def add(karmada: Karmada, name: str | None = None) -> Karmada:
    """Add a member, by default under the first free one of the three names; return the changed control plane."""
    here = etcds(karmada)
    chosen = name or next((each for each in ETCDS if each not in here), None)
    if chosen is None or chosen not in ETCDS or (chosen in here and not is_pending(karmada, ADDING)):
        raise UsageError(
            f"{chosen!r} is not a free name of a member" if chosen else "etcd has three members already",
            where=f"members: {', '.join(here)}",
            remedy=f"names of members are {', '.join(ETCDS)}; one that is dead is put right by: "
            f"{command('etcd', 'replace', 'NAME', lab=karmada.run.id)}",
        )
    return add_members(karmada, [chosen])


def grow(karmada: Karmada) -> Karmada:
    """Grow etcd to three members, if it has fewer. Return the changed control plane."""
    missing = [name for name in ETCDS if name not in etcds(karmada)]
    return add_members(karmada, missing or list(ETCDS)) if missing or is_pending(karmada, ADDING) else karmada


ADDING = "adding members to etcd"


def is_pending(karmada: Karmada, what: str) -> bool:
    """Return whether such a change is pending."""
    return pending_operation.facts_of(karmada.run, what) is not None


def add_members(karmada: Karmada, names: Sequence[str]) -> Karmada:
    """Add the missing ones of these members in sequence, and update the API servers' addresses."""
    EtcdClient.of(karmada).health()  # there is a quorum, or nothing can be changed
    open_plane(karmada)
    with pending_operation.hold_pending(karmada.run, ADDING, again=command("etcd", "grow", lab=karmada.run.id), names=list(names)):
        for name in names:
            keep_initial_flags(karmada)
            if name not in etcds(karmada):
                karmada = record_etcds(karmada, [*etcds(karmada), name])
            add_learner(karmada, name)
        update_apiservers(open_plane(karmada))
        EtcdClient.of(karmada).until_well()
    return karmada


def remove(karmada: Karmada, name: str) -> Karmada:
    """Remove a member and delete its data; return the changed control plane.

    UsageError, with nothing changed: no such member, or the healthy members that would remain are not a majority.
    """
    etcd = EtcdClient.of(karmada)
    health = etcd.health()
    require_removable(health, name, lab=karmada.run.id)
    open_plane(karmada)
    with pending_operation.hold_pending(
        karmada.run, f"removing {name} from etcd", again=command("etcd", "remove", name, lab=karmada.run.id)
    ):
        keep_initial_flags(karmada)
        karmada = record_etcds(karmada, [each for each in etcds(karmada) if each != name])
        update_apiservers(open_plane(karmada))
        remove_member(karmada, etcd, health, name)
        EtcdClient.of(karmada).until_well()
    return karmada


def replace(karmada: Karmada, name: str) -> Karmada:
    """Replace a dead member by a new one of the same name and address.

    UsageError, with nothing changed: it is alive, or as in `remove`.
    """
    etcd = EtcdClient.of(karmada)
    health = etcd.health()
    dead = next((member for member in health.members if member.name == name), None)
    what = replacing(name)
    struck = dead is None and is_pending(karmada, what)
    if not struck:
        require_removable(health, name, lab=karmada.run.id)
    if dead and dead.answers:
        raise UsageError(
            f"{name} is alive: it answers at {dead.client}",
            remedy=f"{command('etcd', 'remove', name, lab=karmada.run.id)}, then {command('etcd', 'add', name, lab=karmada.run.id)}",
        )
    with pending_operation.hold_pending(karmada.run, what, again=command("etcd", "replace", name, lab=karmada.run.id)):
        keep_initial_flags(karmada)
        if not struck:
            remove_member(karmada, etcd, health, name)
        add_learner(karmada, name)
        etcd.until_well()
    return karmada


def replacing(name: str) -> str:
    """Return what the pending operation of a replacement is called."""
    return f"replacing {name} in etcd"


def require_removable(health: EtcdHealth, name: str, *, lab: str | None = None) -> None:
    """Return if etcd keeps its quorum without a member. UsageError if it does not, or for an unknown member. Pure."""
    if name not in {member.name for member in health.members}:
        raise UsageError(
            f"Karmada's etcd has no member {name!r}", remedy=f"its members: {', '.join(member.name for member in health.members)}"
        )
    left = [member for member in health.voters if member.name != name]
    serve = [member.name for member in left if member.answers]
    if not left:
        raise UsageError(
            f"{name} is the only voting member: without it Karmada has no data",
            remedy=f"{command('etcd', 'grow', lab=lab)}   (to three members), then remove it",
        )
    if len(serve) < quorum(len(left)):
        raise UsageError(
            f"{name} cannot be removed: etcd would be below quorum",
            where=f"left would be {len(left)} members, of which {quorum(len(left))} have to serve; these do: {', '.join(serve) or 'none'}",
            remedy=f"first put right {', '.join(member.name for member in left if not member.answers)}: "
            f"{command('etcd', 'replace', 'NAME', lab=lab)}",
        )


# -- the parts -----------------------------------------------------------------------------------------------------------


def keep_initial_flags(karmada: Karmada) -> None:
    """Record the flags by which each member that runs once began: they name the members of that day, and are to stay as they are."""
    states = read_programs(karmada.run).states
    for name in etcds(karmada):
        state = states.get(f"karmada/{name}")
        if state and karmada.run.recorded("etcd", name) is None:
            flags = parse_flags(state.argv)
            karmada.run.record("etcd", name, {flag: flags[flag] for flag in ("initial-cluster", "initial-cluster-state")})


def add_learner(karmada: Karmada, name: str) -> None:
    """Add a member of the spec to etcd; return when it has caught up and votes."""
    run, etcd = karmada.run, EtcdClient.of(karmada)
    etcd = replaced(etcd, endpoints={each: at for each, at in etcd.endpoints.items() if each != name})  # a learner answers hardly anything
    peers = etcd_addresses(run, karmada.spec, etcds(karmada), "peer")
    listed = {item["peerURLs"][0]: item for item in etcd.members()}
    mine = listed.get(peers[name])
    if mine is None or not mine.get("name"):  # it has never started: its directory has data of an earlier member
        here = [each for each in peers if each == name or peers[each] in listed]
        cluster = ",".join(f"{each}={peers[each]}" for each in here)
        run.record("etcd", name, {"initial-cluster": cluster, "initial-cluster-state": "existing"})
        delete_data(karmada, name)
    if mine is None:
        until(
            lambda: list_learner(etcd, name, peers[name]),
            what=f"etcd takes {name} as a member",
            within=30.0,
            remedy=command("etcd", "health", lab=run.id),
        )
    part = next(part for part in open_plane(karmada).programs if part.name == f"{karmada.name}/{name}")
    voting = replaced(part, needs=(), ready=(), proof=lambda: promote(etcd, peers[name]), within=120.0)
    component.replace_component(voting, run)  # a learner is never ready by etcd's own endpoint: it is when it votes
    component.start(part, run)


def list_learner(etcd: BaseEtcdClient, name: str, peer: str) -> None:
    """Have etcd list a new member. NotYet while those it has do not know each other for five seconds: it calls itself unhealthy then."""
    try:
        etcd.ctl("member", "add", name, f"--peer-urls={peer}", "--learner")
    except CommandFailed as failed:
        if "unhealthy cluster" not in failed.output:
            raise
        raise NotYet("etcd calls itself unhealthy") from failed


def promote(etcd: BaseEtcdClient, peer: str) -> None:
    """Promote a member to a voter. NotYet while it has not caught up."""
    item = next(each for each in etcd.members() if each["peerURLs"][0] == peer)
    if not item.get("isLearner"):
        return
    try:
        etcd.ctl("member", "promote", f"{item['ID']:x}")
    except CommandFailed as failed:
        if "in sync with leader" not in failed.output:
            raise
        raise NotYet("it has not caught up yet") from failed


def remove_member(karmada: Karmada, etcd: EtcdClient, health: EtcdHealth, name: str) -> None:
    """Remove a member from etcd's list, stop its program and delete its data."""
    mine = next(member for member in health.members if member.name == name)
    heir = next((member for member in health.voters if member.answers and member.name != name), None)
    if mine.leads and heir:  # or there is no leader until an election ends
        etcd.ctl("move-leader", heir.id, at=mine.client)
    others = ",".join(member.client for member in health.members if member.name != name and member.answers)
    etcd.ctl("member", "remove", mine.id, at=others)
    lost = (ProvisionError,) if karmada.spec.by_binary.machines else ()
    with suppress(*lost):  # a machine that is lost ends it with its lease
        component.remove(f"{karmada.name}/{name}", karmada.run)
        delete_data(karmada, name)
    karmada.run.forget("etcd", name)


def delete_data(karmada: Karmada, name: str) -> None:
    """Delete the data of a member that does not run, wherever it was to run."""
    place = choose_place(open_places(karmada.run, karmada.spec), name) or place_run(karmada.run, "")
    place.delete(karmada.run.path / "data" / karmada.name / name)


def update_apiservers(plane: BinaryInstallation) -> list[str]:
    """Restart, in sequence, the API servers with changed etcd addresses; return their names."""
    calling = [part for caller in CALLERS for part in plane.programs if part.kind == caller]
    return [part.name for part in calling if component.replace_component(part, plane.run, grace=GRACE)]
