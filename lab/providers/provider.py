"""Provider: the protocol of what makes clusters, and of what some providers do besides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from lab.cluster import Lab
from lab.images import Image
from lab.limits.finding import Needs
from lab.preflight import Problem
from lab.run import Run
from lab.spec import Capability, LabSpec
from lab.steps import Step

CLIENT_LIMITS = {"kube-api-qps": "300", "kube-api-burst": "600"}
"""Of a cluster's own controllers. At the defaults, 20 to 50 requests a second, a controller manager takes three seconds to make the
forty ServiceAccounts that it starts with, and with hollow nodes they are all that one would measure."""


class Provider(Protocol):
    """**Protocol:** makes clusters from a spec, ending just short of anything that runs on them.

    `offers` is what its clusters can do at most, `probe` what those of a spec do, None where they cannot be asked;
    `software` are the assets they need ("etcd@3.6.5"), by which `create` finds them again. Clusters that exist already (lab.existing) are
    not its own: it makes those of the spec's `made`.
    `estimate` returns what they take from this computer, Karmada included; by it `lab doctor` and `check` judge the computer alike.
    `check_spec` returns what of a spec it cannot carry out on any computer; `lab` is the lab's name, "" where it has none yet.
    `check` returns what is in the way on this computer, one sentence with its remedy each, before anything is created.
    `create` returns steps; the step that carries a cluster's name ends when that cluster answers and its nodes are there.
    `delete` works from the run directory alone, after a crash too, and twice. `keeps`: what it made can be stopped and brought again, so
    that `lab down --keep` means something.
    """

    @property
    def offers(self) -> frozenset[Capability]: ...

    @property
    def keeps(self) -> bool: ...

    def probe(self, spec: LabSpec) -> frozenset[Capability] | None: ...

    def software(self, spec: LabSpec) -> list[str]: ...

    def estimate(self, spec: LabSpec) -> Needs: ...

    def check_spec(self, spec: LabSpec, *, lab: str = "") -> list[Problem]: ...

    def check(self, spec: LabSpec) -> list[str]: ...

    def create(self, lab: Lab, software: Mapping[str, Path]) -> list[Step]: ...

    def delete(self, run: Run) -> None: ...


@runtime_checkable
class BuildsImages(Protocol):
    """**Protocol:** a provider that builds node images; `images` returns the images in them that are known before kubeadm lists its own."""

    def images(self, spec: LabSpec) -> list[Image]: ...
