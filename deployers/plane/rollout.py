"""One release of Karmada put in the place of another, part after part, in a control plane that serves meanwhile.

    crds, karmada-webhook, karmada-aggregated-apiserver, karmada-controller-manager, karmada-scheduler, then addons, then agents

Programs are exchanged by this lab, pods by their cluster, once the release's manifests are applied: then what is Kubernetes' own comes
before all that, since a release's manifests of etcd may differ, too. Upstream's other installers do all of it at once

A newer API server of CRDs knows every field an older one knows, so CRDs go first and webhooks second: nobody may write what nobody can
check. Going back is the same in reverse, except that CRDs stay: what is stored may have fields that older ones would drop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from deployers.by_binary.components import LEASES, kind_of
from deployers.by_binary.deployer import Plane
from deployers.members import agent
from deployers.members.register import release_election
from deployers.plane import objects
from deployers.plane.leases import drop_stale
from lab import component
from lab.cluster import Cluster
from lab.component import Component
from lab.steps import Step

Act = Callable[[], object]

CRDS, AGENTS = "crds", "karmada-agent"
KUBERNETES = ("etcd", "karmada-apiserver", "kube-controller-manager")
ORDER = (
    *KUBERNETES,
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
    parts: dict[str, Act] = {}
    for name in sorted({kind_of(part) for part in plane.programs} - {*KUBERNETES}):
        parts[name] = partial(all_of, *(partial(exchange, plane, part) for part in plane.programs if kind_of(part) == name))
    if pulling := [member for member in plane.karmada.members if agent.runs(plane.karmada, member.name)]:
        parts[AGENTS] = partial(all_of, *(partial(exchange_agent, plane, member) for member in pulling))
    return chained(in_order(plane, parts, back=back))


def in_order(plane: Plane, parts: Mapping[str, Act], *, back: bool) -> list[tuple[str, Act]]:
    """Return what is exchanged and how, in the order in which it has to be; `parts` says how each component itself is."""
    names = [name for name in ORDER if name in parts or name == CRDS]
    pairs = [(name, action(plane, name, parts.get(name), back=back)) for name in names]
    return pairs[::-1] if back else pairs


def chained(pairs: Iterable[tuple[str, Act]]) -> list[Step]:
    """Return actions as steps, each needing the one before."""
    steps: list[Step] = []
    for name, act in pairs:
        steps.append(Step(name, act, tuple(step.name for step in steps[-1:])))
    return steps


def action(plane: Plane, name: str, part: Act | None, *, back: bool) -> Act:
    """Return what exchanges one component, with what is done to Karmada's API before or after."""
    if part is None:
        return partial(keep_crds, plane) if back else partial(all_of, plane.crds, plane.access)
    if name == "karmada-webhook":  # what calls it never names a hook that it does not have
        return partial(all_of, plane.webhooks, part) if back else partial(all_of, part, plane.webhooks)
    after = afterwards(plane).get(name)
    return partial(all_of, part, after) if after else part


def afterwards(plane: Plane) -> Mapping[str, Act]:
    """Return what has to answer again after a component was exchanged, before those that need it are."""
    return {
        "karmada-aggregated-apiserver": partial(all_of, plane.cluster_api, partial(clusters_discovered, plane)),
        "karmada-search": plane.search_api,
    }


def clusters_discovered(plane: Plane) -> None:
    """Return when discovery lists the API of Clusters as current, or controllers that start next do not know what a Cluster is."""
    objects.until_discovered(plane.api, "cluster.karmada.io", "v1alpha1")


def all_of(*acts: Act) -> None:
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
