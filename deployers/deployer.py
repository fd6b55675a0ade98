"""Deployers: what each one offers, and which there are.

A deployer is one folder and one entry in `DEPLOYERS`. Further protocols say what some deployers can do besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, runtime_checkable

from deployers.karmada import Karmada
from deployers.release import Release
from deployers.spec import KarmadaSpec
from lab.cluster import Cluster
from lab.errors import NotPossible, UsageError
from lab.images import Image
from lab.spec import Capability, LabSpec
from lab.steps import Step

DEPLOYERS = {
    "by_binary": "ByBinary",
    "by_chart": "ByChart",
    "by_yaml": "ByYaml",
    "by_karmadactl": "ByKarmadactl",
    "by_operator": "ByOperator",
    "by_command": "ByCommand",
}
"""The package and the class of each deployer of this project."""
ENTRY_POINTS = "karmada_lab.deployers"
"""The group of entry points by which other packages add deployers: the name of a deployer, and a class that is one."""


@dataclass(frozen=True)
class ImageUse:
    """One image in use: the component it is, the image, and the clusters that run it, by name."""

    component: str
    image: Image
    clusters: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.image.name

    @property
    def repository(self) -> str:
        return self.name.rpartition(":")[0]

    @property
    def tag(self) -> str:
        return self.name.rpartition(":")[2]


class Deployer(Protocol):
    """**Protocol:** one way to install Karmada. Idempotent: installing again changes nothing.

    `needs` is what the provider must offer. `options` maps each option of a spec to "" when it is supported, else to the reason
    (deployers.options). `software` names the assets, as name@version. `check` returns the errors of this spec on this lab, one
    sentence each, before anything is created: a key of the spec takes effect or is refused. `install` returns the steps and changes
    nothing; `JOINABLE` is one of them. `remove` deletes what the steps created and keeps the clusters; it is idempotent.
    """

    @property
    def needs(self) -> frozenset[Capability]: ...

    @property
    def options(self) -> Mapping[str, str]: ...

    def software(self, spec: KarmadaSpec) -> list[str]: ...

    def check(self, spec: KarmadaSpec, lab: LabSpec) -> list[str]: ...

    def install(self, karmada: Karmada, software: Mapping[str, Path]) -> list[Step]: ...

    def remove(self, karmada: Karmada) -> None: ...


@runtime_checkable
class RunsInPods(Protocol):
    """**Protocol:** a deployer that runs Karmada in pods: the images of those pods and the clusters that need each.

    `version` is that of the release (of a checkout: from git); `host` is the name of the host cluster.
    """

    def images(self, spec: KarmadaSpec, *, version: str, host: str = "host") -> tuple[ImageUse, ...]: ...


@runtime_checkable
class ReadsRelease(Protocol):
    """**Protocol:** a deployer that compares a spec with files of the release. `check_release` returns lines as `Deployer.check` does."""

    def check_release(self, spec: KarmadaSpec, release: Release) -> list[str]: ...


@runtime_checkable
class ChecksMachines(Protocol):
    """**Protocol:** a deployer that runs Karmada on machines of the lab. `check_machines` returns steps that ask these, changing nothing.

    They run once the machines are there and before anything else is; each raises NotPossible with the reason.
    """

    def check_machines(self, karmada: Karmada, software: Mapping[str, Path]) -> list[Step]: ...


@runtime_checkable
class JoinsPullMembers(Protocol):
    """**Protocol:** a deployer with its own way to install the agent of a pull member; all others use `karmadactl register`.

    When `register_agent` returns, Karmada calls the member Ready; called again, it changes nothing. `remove_agent` deletes from an
    unregistered member what `karmadactl unregister` does not know of.
    """

    def register_agent(self, karmada: Karmada, member: Cluster) -> None: ...

    def remove_agent(self, karmada: Karmada, member: Cluster) -> None: ...


def get_deployer(name: str) -> Deployer:
    """Return a deployer by name: one of this project, else one that an installed package adds. UsageError lists the names."""
    if name not in DEPLOYERS:
        return load_foreign_deployer(name)
    module = import_module(f".{name}.deployer", __package__)  # only the one in use is loaded
    made: Deployer = getattr(module, DEPLOYERS[name])()
    return made


def load_foreign_deployer(name: str) -> Deployer:
    """Return a deployer that an installed package adds (ENTRY_POINTS). UsageError for an unknown name, or one that cannot be loaded."""
    added = {each.name: each for each in entry_points(group=ENTRY_POINTS)}
    if name not in added:
        raise UsageError(f"unknown deployer {name!r}", remedy=f"one of: {', '.join(sorted({*DEPLOYERS, *added}))}")
    try:
        found: Deployer = added[name].load()()
    except Exception as error:
        raise UsageError(f"loading the deployer {name!r} failed: {type(error).__name__}: {error}", where=str(added[name].value)) from error
    if lacking := [part for part in ("needs", "options", "software", "check", "install", "remove") if not hasattr(found, part)]:
        raise UsageError(f"{name!r} is no deployer: it has no {', '.join(lacking)}", where=str(added[name].value))
    return found


def runs_in_pods(karmada: Karmada) -> bool:
    """Return whether the programs of a control plane are pods of the host cluster; else they are programs of the lab's machine."""
    return Capability.PODS in get_deployer(karmada.spec.deployer).needs


def require_programs(karmada: Karmada) -> None:
    """Raise NotPossible where the parts of a control plane are pods: only programs of the lab can be changed here."""
    if runs_in_pods(karmada):
        raise NotPossible(
            f"this Karmada was installed by {karmada.spec.deployer}: its parts are pods of the host cluster, not programs of this lab",
            where=str(karmada.run.path),
            remedy='change it with the tools of that deployer; a lab with deployer = "by_binary" can do it here',
        )
