"""Joining as steps of `up`: each member as soon as it and the control plane allow, all at once.

A member's accounts are made while Karmada is still starting, and it is registered while Karmada's controllers are: joining is
mostly karmadactl waiting, so what it waits for is there before.
"""

from __future__ import annotations

from collections.abc import Collection

from deployers.deployer import JoinsPullMembers, get_deployer, runs_in_pods
from deployers.karmada import Karmada
from deployers.members.join import join, join_rights
from deployers.members.register import register, register_agent
from deployers.members.registry import Mode, wait_member_ready
from deployers.members.service_accounts import ensure_accounts
from deployers.members.unjoin import unjoin
from deployers.members.unregister import unregister
from deployers.names import JOINABLE, READY
from deployers.pods.images import agent_image
from lab.cluster import Cluster
from lab.steps import Step


def join_steps(karmada: Karmada, others: Collection[str]) -> list[Step]:
    """Return the steps that join every member of the spec; `<member>/joined` has passed when Karmada calls it Ready.

    `others` are the names of the steps that make the clusters and install Karmada: where a cluster's parts are steps of their own,
    joining waits for the part that it needs, else for the whole cluster.
    """
    lab = karmada.lab
    return [step for member in karmada.spec.members for step in steps_of(karmada, lab.member(member.name), member.mode, others)]


def join_member(karmada: Karmada, member: Cluster, mode: Mode) -> None:
    """Join a member in the deployer's way and wait until it is Ready. Change nothing if it is joined."""
    own = get_deployer(karmada.spec.deployer)
    if mode == "push":
        join(karmada, member)
    elif isinstance(own, JoinsPullMembers):
        own.register_agent(karmada, member)
    else:
        register(karmada, member)


def unjoin_member(karmada: Karmada, member: Cluster, mode: Mode, *, force: bool = False) -> None:
    """Remove a member and return when Karmada has no leftovers on either side."""
    if mode == "push":
        unjoin(karmada, member, force=force)
        return
    unregister(karmada, member, force=force)
    own = get_deployer(karmada.spec.deployer)
    if isinstance(own, JoinsPullMembers):
        own.remove_agent(karmada, member)


def steps_of(karmada: Karmada, member: Cluster, mode: str, others: Collection[str]) -> list[Step]:
    """Return the steps of one member."""
    name = member.name

    def part(program: str) -> str:
        return step if (step := f"{name}/{program}") in others else name

    tokens = part("kube-controller-manager")  # it makes the tokens of service accounts
    accounts = Step(f"{name}/accounts", lambda: ensure_accounts(member.api, name), (part("kube-apiserver"),))
    own = get_deployer(karmada.spec.deployer)
    if mode == "pull" and isinstance(own, JoinsPullMembers):
        return [
            accounts,
            Step(f"{name}/joined", lambda: own.register_agent(karmada, member), (READY, accounts.name, tokens, part("images"))),
        ]
    if mode == "pull" and runs_in_pods(karmada):
        image = agent_image(karmada.spec, karmada.release)
        needs = (JOINABLE, accounts.name, tokens, part("images"))
        return [
            accounts,
            Step(f"{name}/register", lambda: register_agent(karmada, member, image=image), needs, priority=-1),
            Step(f"{name}/joined", lambda: register(karmada, member, image=image), (f"{name}/register", READY)),
        ]
    if mode == "pull":
        return [
            accounts,
            Step(f"{name}/register", lambda: register_agent(karmada, member), (JOINABLE, accounts.name, tokens), priority=-1),
            Step(f"{name}/joined", lambda: register(karmada, member, ahead=False), (f"{name}/register", READY)),
        ]
    return [
        accounts,
        Step(f"{name}/join", lambda: join_rights(karmada, member, ahead=False), (JOINABLE, accounts.name, tokens), priority=-1),
        Step(f"{name}/joined", lambda: wait_member_ready(karmada, name), (f"{name}/join", READY)),
    ]
