"""The part of a control plane that all deployers of programs or manifests share: the objects in karmada-apiserver, by step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deployers.karmada import Karmada
from deployers.names import NAME
from deployers.plane import manifests, objects
from deployers.plane.layout import Layout
from deployers.plane.manifests import Addresses
from deployers.spec import KarmadaSpec
from lab.api import Api
from lab.run import Run
from lab.steps import Step

TREES = ("karmada-crds", "karmada-manifests")
"""The asset trees of a release: its CRDs and its manifests."""


@dataclass(frozen=True)
class ControlPlane(ABC):
    """One control plane being installed: what is done to Karmada's API, whichever way it runs. Each method may be run again.

    A deployer's own class adds how the API server and the components are started, and where they are reached.
    """

    karmada: Karmada
    layout: Layout

    @property
    def run(self) -> Run:
        return self.karmada.run

    @property
    def spec(self) -> KarmadaSpec:
        return self.karmada.spec

    @cached_property
    def api(self) -> Api:
        """karmada-apiserver as an administrator beside it sees it: never through a load balancer. Not before `identity`."""
        return Api.open(self.layout.pki / "admin.kubeconfig")

    @cached_property
    def deploy(self) -> Path:
        """The release's own manifests."""
        return self.layout.software["karmada-manifests"] / "deploy"

    @property
    @abstractmethod
    def addresses(self) -> Addresses:
        """The addresses that the release's files leave open. Not before the step `identity`."""

    def access(self) -> None:
        """Apply roles, and what registering needs."""
        objects.apply_all(self.api, manifests.access(self.deploy, self.addresses))

    def namespace(self) -> None:
        objects.ensure_namespace(self.api, manifests.NAMESPACE)

    def crds(self) -> None:
        objects.ensure_crds(self.api, self.run, self.layout.software["karmada-crds"], self.addresses)

    def webhooks(self) -> None:
        objects.apply_all(self.api, manifests.webhook_configurations(self.deploy, self.addresses))

    def cluster_api(self) -> None:
        self.served_by("karmada-aggregated-apiserver")
        objects.wait_answers(self.api, "/apis/cluster.karmada.io/v1alpha1/clusters")

    def search_api(self) -> None:
        self.served_by("karmada-search")
        objects.wait_answers(self.api, "/apis/search.karmada.io/v1alpha1/resourceregistries")

    def register(self, server: str) -> list[str]:
        """Register the APIs of an aggregated API server, and return their names. Those with nothing behind them slow discovery down."""
        found = manifests.api_services(self.deploy, server, self.addresses)
        for document in found:
            self.api.apply(document)
        return [document["metadata"]["name"] for document in found if document["kind"] == "APIService"]

    def served_by(self, server: str) -> None:
        """Register the APIs of an aggregated API server and return when they are available."""
        objects.wait_available(self.api, self.register(server))


def step(name: str, action: Callable[[], object], *needs: str) -> Step:
    """Return a step of this control plane that depends on others."""
    return Step(f"{NAME}/{name}", action, tuple(f"{NAME}/{need}" for need in needs))


def do_nothing() -> None:
    """A step that has passed when all it needs has."""
