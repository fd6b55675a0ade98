"""One release of Karmada put in the place of another, part after part, in a control plane that serves meanwhile.

    crds, karmada-webhook, karmada-aggregated-apiserver, karmada-controller-manager, karmada-scheduler, then addons, then agents

Programs are exchanged by this lab, pods by their cluster, once the release's manifests are applied: then what is Kubernetes' own comes
before all that, since a release's manifests of etcd may differ, too. Upstream's other installers do all of it at once

CRDs of a newer release know every field of older ones, so CRDs go first and webhooks second: every object that can be written must be one
that a webhook can check. A rollback runs in reverse, except that CRDs stay: stored objects may have fields that older CRDs would drop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from deployers.karmada import Karmada
from deployers.plane import objects
from deployers.plane.plane import ControlPlane
from lab.errors import NotPossible
from lab.steps import Step

Act = Callable[[], object]

CRDS, WEBHOOK, AGENTS = "crds", "karmada-webhook", "karmada-agent"
AT = "@"
"""Between a component and the machine on which it is replaced, in the name of a step."""
KUBERNETES = ("etcd", "karmada-apiserver", "kube-controller-manager")
ORDER = (
    *KUBERNETES,
    CRDS,
    WEBHOOK,
    "karmada-aggregated-apiserver",
    "karmada-controller-manager",
    "karmada-scheduler",
    "karmada-descheduler",
    "karmada-search",
    "karmada-metrics-adapter",
    "karmada-scheduler-estimator",
    AGENTS,
)


def order_actions(plane: ControlPlane, parts: Mapping[str, Act], *, back: bool) -> list[tuple[str, Act]]:
    """Return the replacements in their order; `parts` has the function that replaces each component."""
    names = [name for name in ORDER if name in parts or name == CRDS]
    pairs = [(name, action(plane, name, parts.get(name), back=back)) for name in names]
    return pairs[::-1] if back else pairs


def chain(pairs: Iterable[tuple[str, Act]]) -> list[Step]:
    """Return actions as steps, each needing the one before."""
    steps: list[Step] = []
    for name, act in pairs:
        steps.append(Step(name, act, tuple(step.name for step in steps[-1:])))
    return steps


def action(plane: ControlPlane, name: str, part: Act | None, *, back: bool) -> Act:
    """Return the function that replaces one component, with the changes of Karmada's API before or after it."""
    if part is None:
        return partial(keep_crds, plane) if back else partial(run_all, plane.crds, plane.access)
    if name == WEBHOOK:  # what calls it never names a hook that it does not have
        return partial(run_all, plane.webhooks, part) if back else partial(run_all, part, plane.webhooks)
    after = follow_ups(plane).get(name)
    return partial(run_all, part, after) if after else part


def follow_ups(plane: ControlPlane) -> Mapping[str, Act]:
    """Return what has to answer again after a component was exchanged, before those that need it are."""
    return {
        "karmada-aggregated-apiserver": partial(run_all, plane.cluster_api, partial(wait_clusters_discovered, plane)),
        "karmada-search": plane.search_api,
    }


def wait_clusters_discovered(plane: ControlPlane) -> None:
    """Return when discovery lists the API of Clusters as current, or controllers that start next do not know what a Cluster is."""
    objects.wait_discovered(plane.api, "cluster.karmada.io", "v1alpha1")


def run_all(*acts: Act) -> None:
    """Do these, one after the other."""
    for act in acts:
        act()


def keep_crds(plane: ControlPlane) -> None:
    """Leave the newer CRDs, and have the older release take them for its own: its next installation leaves them as they are."""
    objects.adopt_crds(plane.api, plane.run, plane.layout.software["karmada-crds"], plane.addresses)
    plane.access()


def rollback_refusal(karmada: Karmada, who: str, besides: str) -> NotPossible:
    """Return why an installer that puts CRDs back itself cannot go to an earlier release: `who` of it does, and what else would be."""
    return NotPossible(
        f"a Karmada that was installed by {karmada.spec.deployer} does not go back to an earlier release",
        where=f"{who} would put the earlier CRDs back, and the API server then drops every field that only the later ones have; {besides}",
        remedy="install the earlier release in a new lab",
    )
