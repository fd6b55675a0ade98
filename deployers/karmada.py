"""The handle of a Karmada control plane: its location, its spec and its members."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from deployers.names import CONTEXT
from deployers.release import Release, make_supply, open_supply
from deployers.spec import KarmadaSpec
from lab.api import Api
from lab.assets import Supply
from lab.cluster import Cluster, Lab, find_cluster
from lab.errors import UsageError
from lab.hints import command
from lab.machines.machine import Machine
from lab.run import Run
from lab.spec import parse

if TYPE_CHECKING:
    from kubernetes.client import ApiClient


@dataclass(frozen=True)
class Karmada:
    """One control plane on a lab. Made from the run directory alone; it need not be up. `supply` brings what later commands need."""

    lab: Lab
    spec: KarmadaSpec
    supply: Supply = field(default_factory=make_supply, compare=False, repr=False)
    name: str = "karmada"

    @classmethod
    def open(cls, lab: Lab) -> Karmada:
        """Return the control plane of a lab. UsageError when the lab's spec has no Karmada."""
        asked = lab.run.asked.get("karmada")
        if asked is None:
            raise UsageError(
                f"lab {lab.run.id} has no Karmada",
                where=str(lab.run.path),
                remedy=f"add a table [karmada] to its lab file; {command('down', lab=lab.run.id)}, "
                f"then {command('up', '--spec', 'FILE', lab=lab.run.id)}",
            )
        spec = parse(KarmadaSpec, asked, source=str(lab.run.path / "run.json"), prefix="karmada.")
        return cls(lab, spec, open_supply(lab.run))

    def asking(self, spec: KarmadaSpec) -> Karmada:
        """Record a new spec in the run, and return the control plane with this spec. Change nothing else."""
        run = self.run.ask({**self.run.asked, "karmada": spec.model_dump(mode="json")})
        return replace(self, lab=Lab(run, self.lab.spec), spec=spec)

    @property
    def run(self) -> Run:
        return self.lab.run

    @property
    def kubeconfig(self) -> Path:
        """The administrator's; through the load balancer where there is one."""
        return self.run.kubeconfig(self.name)

    @cached_property
    def cluster(self) -> Cluster:
        """karmada-apiserver, as a cluster like any other."""
        return Cluster(self.name, CONTEXT, self.kubeconfig)

    @property
    def api(self) -> Api:
        return self.cluster.api

    def client(self) -> ApiClient:
        """Return a client of the `kubernetes` package for karmada-apiserver, for tests."""
        return self.cluster.client()

    @cached_property
    def release(self) -> Release:
        """The requested Karmada version. Versions that `up` has fetched are found without a network."""
        return Release.parse(self.spec.release, supply=self.supply)

    @property
    def machine(self) -> Machine:
        """Where its programs run."""
        return self.lab.machine

    @cached_property
    def members(self) -> tuple[Cluster, ...]:
        """The clusters that the spec makes members; `deployers.members.registry` knows whether they are joined."""
        return tuple(find_cluster(self.lab.members, member.name) for member in self.spec.members)


def description_file(run: Run) -> Path:
    """Return where the description of a run's Karmada is kept; `deployers.checks.description` writes it."""
    return run.path / "description.json"
