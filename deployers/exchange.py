"""One release of Karmada put in the place of another, part after part, in a control plane of programs that serves meanwhile.

    crds, karmada-webhook, karmada-aggregated-apiserver, karmada-controller-manager, karmada-scheduler, then addons, then agents

A newer API server of CRDs knows every field an older one knows, so CRDs go first and webhooks second: nobody may write what nobody can
check. Going back is the same in reverse, except that CRDs stay: what is stored may have fields that older ones would drop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from deployers import agent, objects
from deployers.by_binary import Plane
from deployers.components import LEASES, kind_of
from deployers.leases import drop_stale
from deployers.register import release_election
from lab import component
from lab.cluster import Cluster
from lab.component import Component
from lab.steps import Step

CRDS, AGENTS = "crds", "karmada-agent"
ORDER = (
    CRDS,
    "karmada-webhook",
    "karmada-aggregated-apiserver",
    "karmada-controller-manager",
    "karmada-scheduler",
    "karmada-descheduler",
    "karmada-search",
    "karmada-metrics-adapter",
    "karmada-scheduler-estimator",
    AGENTS,
)
GRACE = 2.0


def exchange_steps(plane: Plane, *, back: bool) -> list[Step]:
    """Return the steps to the release that `plane` describes, each named after its component and needing the one before.

    Each may be done again, and leaves alone what is of that release already.
    """
    pulling = [member for member in plane.karmada.members if agent.runs(plane.karmada, member.name)]
    there = {kind_of(part) for part in plane.programs} | {CRDS} | ({AGENTS} if pulling else set())
    names = [name for name in ORDER if name in there]
    actions = [action(plane, name, pulling, back=back) for name in names]
    pairs = list(zip(names, actions, strict=True))
    if back:
        pairs.reverse()
    before: tuple[str, ...] = ()
    steps = []
    for name, act in pairs:
        steps.append(Step(name, act, before))
        before = (name,)
    return steps


def action(plane: Plane, name: str, pulling: list[Cluster], *, back: bool) -> Callable[[], object]:
    """Return what exchanges one component."""
    parts = [part for part in plane.programs if kind_of(part) == name]
    if name == CRDS:
        return partial(keep_crds, plane) if back else partial(all_of, plane.crds, plane.access)
    if name == AGENTS:
        return partial(all_of, *(partial(exchange_agent, plane, member) for member in pulling))
    programs = partial(all_of, *(partial(exchange, plane, part) for part in parts))
    if name == "karmada-webhook":  # what calls it never names a hook that it does not have
        return partial(all_of, plane.webhooks, programs) if back else partial(all_of, programs, plane.webhooks)
    after = {"karmada-aggregated-apiserver": plane.cluster_api, "karmada-search": plane.search_api}.get(name)
    return partial(all_of, programs, after) if after else programs


def all_of(*acts: Callable[[], object]) -> None:
    """Do these, one after the other."""
    for act in acts:
        act()


def exchange(plane: Plane, part: Component) -> bool:
    """Have one program be of this release. Where it elects a leader and was the only one, its successor need not wait for its lease."""
    elects = kind_of(part) in LEASES
    alike = [each for each in plane.programs if kind_of(each) == kind_of(part)]
    between = partial(drop_stale, plane.api, plane.run, alike) if elects else None
    return component.exchange(part, plane.run, between=between, grace=GRACE)


def exchange_agent(plane: Plane, member: Cluster) -> bool:
    """Have the agent of a pull member be of this release."""
    return component.exchange(
        agent.agent(plane.karmada, member), plane.run, between=partial(release_election, plane.karmada, member.name), grace=GRACE
    )


def keep_crds(plane: Plane) -> None:
    """Leave the newer CRDs, and have the older release take them for its own: its next installation leaves them as they are."""
    objects.adopt_crds(plane.api, plane.run, plane.layout.software["karmada-crds"], plane.addresses)
    plane.access()
