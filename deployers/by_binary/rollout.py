"""Another release of Karmada's programs in the place of those that run, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from deployers.by_binary.installation import BinaryInstallation
from deployers.members import agent
from deployers.members.register import delete_election_lease
from deployers.names import LEASES
from deployers.plane.leases import drop_stale
from deployers.plane.rollout import AGENTS, AT, KUBERNETES, WEBHOOK, Act, chain, order_actions, run_all
from lab import component
from lab.cluster import Cluster
from lab.component import Component
from lab.steps import Step

GRACE = 2.0


def rollout_steps(plane: BinaryInstallation, *, back: bool) -> list[Step]:
    """Return the steps to the release that `plane` describes, each named after its component and needing the one before.

    On machines there is one for each machine that a component runs on, `COMPONENT@MACHINE`: what changes Karmada's API with a component
    follows the last of them, or precedes the first. Each may be done again, and leaves alone what is of that release already.
    """
    groups = {kind: group_by_machine(plane, kind) for kind in sorted({part.kind for part in plane.programs} - {*KUBERNETES})}
    if pulling := [member for member in plane.karmada.members if agent.agent_runs(plane.karmada, member.name)]:
        groups[AGENTS] = {AGENTS: partial(run_all, *(partial(replace_agent, plane, member) for member in pulling))}
    outer = {kind: (0 if back and kind == WEBHOOK else len(acts) - 1) for kind, acts in groups.items()}
    pairs: list[tuple[str, Act]] = []
    for kind, act in order_actions(plane, {kind: [*acts.values()][outer[kind]] for kind, acts in groups.items()}, back=back):
        names = list(groups.get(kind, {kind: act}))
        pairs += [(name, act if number == outer.get(kind, 0) else groups[kind][name]) for number, name in enumerate(names)]
    return chain(pairs)


def group_by_machine(plane: BinaryInstallation, kind: str) -> dict[str, Act]:
    """Return the functions that replace a component, one for each machine that it runs on, by the names of their steps."""
    parts = [part for part in plane.programs if part.kind == kind]
    acts = {
        machine: [partial(replace_program, plane, part) for part in parts if part.machine == machine] for machine in list_machines(parts)
    }
    return {f"{kind}{AT}{machine}" if machine else kind: partial(run_all, *each) for machine, each in acts.items()}


def list_machines(parts: Iterable[Component]) -> list[str]:
    """Return the machines of programs in the order of the programs, each once."""
    return list(dict.fromkeys(part.machine for part in parts))


def replace_program(plane: BinaryInstallation, part: Component) -> bool:
    """Replace one program by this release's. If it was the only candidate of its election, release its lease for the successor."""
    plane.bring(part)
    elects = part.kind in LEASES
    alike = [each for each in plane.programs if each.kind == part.kind]
    between = partial(drop_stale, plane.api, plane.run, alike) if elects else None
    return component.replace_component(part, plane.run, between=between, grace=GRACE)


def replace_agent(plane: BinaryInstallation, member: Cluster) -> bool:
    """Replace the agent of a pull member by this release's."""
    agent.bring_agent(plane.karmada, member)
    return component.replace_component(
        agent.agent_component(plane.karmada, member),
        plane.run,
        between=partial(delete_election_lease, plane.karmada, member.name),
        grace=GRACE,
    )
