"""The etcds of a lab, one for each cluster and one for Karmada, as their programs define them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deployers.by_binary.installation import open_plane
from deployers.karmada import Karmada
from deployers.names import NAME
from lab.assets import AssetRef, Supply
from lab.cluster import Lab
from lab.component import Component
from lab.errors import NotPossible
from lab.hints import command
from lab.machines.placement import place_run
from lab.providers.embedded import program_name
from lab.providers.embedded_cluster import make_components


@dataclass(frozen=True)
class Store:
    """One etcd: the name of its cluster ("karmada" for Karmada's own), and its members' programs."""

    name: str
    members: tuple[Component, ...]


def data_of(member: Component) -> Path:
    """Return the data directory of a member of etcd."""
    return Path(str(member.flags["data-dir"]))


def list_stores(lab: Lab, supply: Supply, software: Mapping[AssetRef, Path]) -> list[Store]:
    """Return the etcds of a lab. Errors as `require_supported`."""
    require_supported(lab)
    paths, local = {str(ref): path for ref, path in software.items()}, place_run(lab.run, "")
    stores = []
    for spec, cluster in zip(lab.spec.made, lab.made, strict=True):
        members = [part for part in make_components(local, spec, cluster, paths) if program_name(part) == "etcd"]
        stores.append(Store(spec.name, tuple(members)))
    if lab.run.asked.get("karmada"):
        karmada = Karmada.open(lab)
        plane = open_plane(Karmada(lab, karmada.spec, supply))
        stores.append(Store(NAME, tuple(part for part in plane.programs if part.kind == "etcd")))
    return stores


def require_supported(lab: Lab) -> None:
    """Return if everything of the lab is a program of this computer. NotPossible names the first thing that is not, and what to use."""
    asked = lab.run.asked
    if asked["lab"]["provider"] != "embedded":
        raise not_possible(lab, f"its clusters are of provider {asked['lab']['provider']}", "use --provider embedded")
    for cluster in (lab.spec.host, *lab.spec.members):
        if cluster.kubeconfig:
            raise not_possible(lab, f"cluster {cluster.name} exists without the lab", "back it up by its own tools")
        if cluster.machine:
            remedy = command("machine", "snapshot", "MACHINE", "SNAPSHOT", lab=lab.run.id)
            raise not_possible(lab, f"cluster {cluster.name} runs on machine {cluster.machine}", remedy)
    if not asked.get("karmada"):
        return
    spec = Karmada.open(lab).spec
    if spec.deployer != "by_binary":
        raise not_possible(lab, f"its Karmada is installed {spec.deployer}, in pods", "use --deployer by_binary")
    if spec.by_binary.machines:
        raise not_possible(lab, "its Karmada runs on machines", command("backup", "--to", "DIRECTORY", lab=lab.run.id))
    if spec.etcd.external:
        raise not_possible(lab, "its Karmada uses an external etcd", "use an etcd of the lab's own")


def not_possible(lab: Lab, why: str, remedy: str) -> NotPossible:
    """Return the error of a lab of which no snapshot can be taken."""
    return NotPossible(f"a snapshot of lab {lab.run.id} is not possible: {why}", where=str(lab.run.path), remedy=remedy)
