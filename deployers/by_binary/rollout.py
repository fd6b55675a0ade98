"""Another release of Karmada's programs in the place of those that run, one after the other."""

from __future__ import annotations

from functools import partial

from deployers.by_binary.installation import BinaryInstallation
from deployers.members import agent
from deployers.members.register import delete_election_lease
from deployers.names import LEASES
from deployers.plane.leases import drop_stale
from deployers.plane.rollout import AGENTS, KUBERNETES, Act, chain, order_actions, run_all
from lab import component
from lab.cluster import Cluster
from lab.component import Component
from lab.steps import Step

GRACE = 2.0


def rollout_steps(plane: BinaryInstallation, *, back: bool) -> list[Step]:
    """Return the steps to the release that `plane` describes, each named after its component and needing the one before.

    Each may be done again, and leaves alone what is of that release already.
    """
    parts: dict[str, Act] = {}
    for name in sorted({part.kind for part in plane.programs} - {*KUBERNETES}):
        parts[name] = partial(run_all, *(partial(replace_program, plane, part) for part in plane.programs if part.kind == name))
    if pulling := [member for member in plane.karmada.members if agent.agent_runs(plane.karmada, member.name)]:
        parts[AGENTS] = partial(run_all, *(partial(replace_agent, plane, member) for member in pulling))
    return chain(order_actions(plane, parts, back=back))


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
