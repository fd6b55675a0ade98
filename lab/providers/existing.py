"""Clusters that exist, given by kubeconfig. They are neither created nor deleted: `lab.existing` takes them into a lab and leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab.api import Api
from lab.assets.cache import default_root
from lab.cluster import Lab
from lab.computer import Computer, Probe
from lab.doctor.checks import list_refusals
from lab.errors import LabError
from lab.existing.footprint import NODES
from lab.hollow import HOLLOW
from lab.limits.finding import MIB, Needs, Share
from lab.preflight import Problem
from lab.run import Run, runs_root
from lab.spec import Capability, ClusterSpec, LabSpec
from lab.steps import Step

MIB_OF_REST, PROGRAMS_OF_REST, PORTS_OF_REST, INOTIFY_OF_REST = 700, 7, 21, 12
"""A Karmada of programs of this computer, as with the provider embedded."""
MIB_OF_MEMBER, PROGRAMS_OF_MEMBER = 100, 2
"""An agent and an estimator, of a member that has both."""


@dataclass(frozen=True)
class Existing:
    """The provider that makes no cluster. `offers` is what clusters can offer; `probe` says what those of a lab do."""

    offers: frozenset[Capability] = frozenset(Capability)
    keeps: bool = True
    computer: Probe = field(default_factory=Computer)

    def probe(self, spec: LabSpec) -> frozenset[Capability] | None:
        """Return what the clusters of a lab offer, by their nodes; None when one cannot be asked.

        PODS: there is a host cluster, and each cluster has a node with a kubelet that is ready. HOLLOW: each member has nodes of kwok.
        MACHINES: this computer.
        """
        try:
            with ThreadPoolExecutor(max(1, len(spec.clusters)), thread_name_prefix="probe") as pool:
                kinds = list(pool.map(find_node_kinds, spec.clusters))
        except LabError:
            return None
        found = {Capability.MACHINES}
        if spec.has_host and all("real" in each for each in kinds):
            found.add(Capability.PODS)
        members = kinds[1:] if spec.has_host else kinds
        if members and all("hollow" in each for each in members):
            found.add(Capability.HOLLOW)
        return frozenset(found)

    def software(self, spec: LabSpec) -> list[str]:
        """Return the clients of clusters."""
        return [f"kubectl@{spec.kubernetes}"]

    def estimate(self, spec: LabSpec) -> Needs:
        """Return what a Karmada takes from this computer; the clusters are elsewhere."""
        members = Share("agents and estimators of members", max(1, len(spec.members)), MIB_OF_MEMBER * MIB, PROGRAMS_OF_MEMBER)
        rest = Share("Karmada, the supervisor and this command", 1, MIB_OF_REST * MIB, PROGRAMS_OF_REST)
        return Needs(memory=(members, rest), inotify=INOTIFY_OF_REST, ports=PORTS_OF_REST, cache=default_root(), runs=runs_root())

    def check_spec(self, spec: LabSpec, *, lab: str = "") -> list[Problem]:  # noqa: ARG002
        """Return no problem: what of a cluster that exists cannot take effect is the same with every provider (lab.existing.preflight)."""
        return []

    def check(self, spec: LabSpec) -> list[str]:
        """Refuse what the limits of this computer do not allow."""
        return list_refusals(self.computer, self.estimate(spec))

    def create(self, lab: Lab, software: Mapping[str, Path]) -> list[Step]:  # noqa: ARG002
        """Return no step: clusters that exist are taken into a lab with every provider (lab.existing.adopt)."""
        return []

    def delete(self, run: Run) -> None:
        """Nothing to do: `lab.existing.release` takes away what was put on the clusters."""


def find_node_kinds(cluster: ClusterSpec) -> set[str]:
    """Return whether a cluster has "real" nodes that are ready, "hollow" ones, or both. LabError when it cannot be asked."""
    api = Api.open(Path(cluster.kubeconfig), context=cluster.context or None)
    found = set()
    for node in api.items(NODES, limit="500"):
        if HOLLOW in (node["metadata"].get("annotations") or {}):
            found.add("hollow")
        elif any(each["type"] == "Ready" and each["status"] == "True" for each in node.get("status", {}).get("conditions") or []):
            found.add("real")
    return found
