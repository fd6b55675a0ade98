"""What upstream's own installers are known to do differently from upstream's artifacts/deploy, in the releases that are pinned.

Conformance reports them without failing, since no spec can fix them. It fails when upstream has fixed one that is still listed here.
`lab compare` shows all differences, known or not.
"""

from __future__ import annotations

from collections.abc import Mapping

HOOKS_LEFT_OUT: Mapping[str, frozenset[str]] = {
    "by_chart": frozenset(
        {
            "clustertaintpolicy.karmada.io validate-clustertaintpolicy",
            "cronfederatedhpa.karmada.io validate-cronfederatedhpa",
            "federatedhpa.karmada.io validate-federatedhpa",
        }
    ),
    "by_karmadactl": frozenset({"clustertaintpolicy.karmada.io validate-clustertaintpolicy"}),
    "by_operator": frozenset({"clustertaintpolicy.karmada.io validate-clustertaintpolicy"}),
}
"""Admission hooks by deployer, as "name path"."""

WITHOUT_CLUSTER_INFO = frozenset({"by_operator"})
"""Deployers of upstream's that make no kube-public/cluster-info, so no member can register by pull."""
CLUSTER_INFO_INSIDE = frozenset({"by_chart"})
"""Deployers that put a Service of the host cluster into cluster-info, so that no member outside it can register by pull."""


def hooks_left_out(deployer: str) -> frozenset[str]:
    """Return the hooks of record that a deployer is known not to configure."""
    return HOOKS_LEFT_OUT.get(deployer, frozenset())
