"""Upstream's manifests being applied: the steps, their order, and what each waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

from deployers.by_yaml import workload_manifests
from deployers.deployer import ImageUse
from deployers.names import JOINABLE, LEASES, NAME
from deployers.plane import certificates, manifests, objects
from deployers.plane.leases import held_lease
from deployers.plane.manifests import Addresses
from deployers.plane.plane import ControlPlane, do_nothing, step
from deployers.pods import host, installation
from deployers.pods.etcd.install import apply_own_etcd, make_own_certificates, wait_own_etcd
from deployers.pods.etcd.names import runs_own_etcd
from deployers.pods.workloads import wait_serving
from lab.api import Api
from lab.steps import Step
from lab.wait import until

PORT = 5443
"""The port of karmada-apiserver; its pod uses the host network."""
WITHIN = 180.0
NEEDS: Mapping[str, tuple[str, ...]] = {
    "etcd": ("secrets",),
    "karmada-apiserver": ("secrets",),
    "kube-controller-manager": ("karmada-apiserver",),
    "karmada-aggregated-apiserver": ("karmada-apiserver",),
    "karmada-webhook": ("karmada-apiserver",),
    **dict.fromkeys(
        ("karmada-controller-manager", "karmada-scheduler", "karmada-descheduler"), ("crds", "webhooks", "cluster-api", "namespace")
    ),
    "karmada-search": ("crds", "cluster-api", "search-registered"),
    "karmada-metrics-adapter": ("crds", "cluster-api"),
}
"""What each component needs besides; estimators need their members."""


@dataclass(frozen=True)
class YamlInstallation(ControlPlane):
    """One control plane of upstream's manifests being applied. What is done to its API is as for any other."""

    images: Mapping[str, ImageUse] = field(default_factory=dict)

    @property
    def host(self) -> Api:
        return self.karmada.lab.host.api

    @cached_property
    def server(self) -> str:
        """Where karmada-apiserver is reached directly, from everywhere. Not before the host cluster is there."""
        return f"https://{host.node_address(self.host)}:{PORT}"

    @cached_property
    def addresses(self) -> Addresses:
        """What the release's files leave open. Not before `identity`."""
        balancer = self.spec.load_balancer
        outside = f"https://{balancer}" if balancer else self.server
        return Addresses(self.layout.ca.read_bytes(), outside, webhook="karmada-webhook.karmada-system.svc:443", services={})

    @cached_property
    def parts(self) -> dict[str, list[manifests.Json]]:
        """The documents of each component but the estimators, in upstream's order."""
        return {
            name: workload_manifests.component(self.deploy, name, self.spec, self.images[name].name)
            for name in NEEDS
            if self.spec.has(name)
        }

    def steps(self) -> list[Step]:
        """Return all steps; a component's ends when its pods are ready and, where it elects a leader, the lease is held."""
        here = self.karmada.lab.host.name
        made = [
            Step(f"{NAME}/host-namespace", self.host_namespace, (here,)),
            step("identity", self.identity, "host-namespace"),
            step("secrets", self.secrets, "identity", "host-namespace"),
            step("namespace", self.namespace, "karmada-apiserver"),
            step("crds", self.crds, "karmada-apiserver"),
            step("access", self.access, "namespace"),
            step("webhooks", self.webhooks, "karmada-webhook"),
            step("cluster-api", self.cluster_api, "karmada-aggregated-apiserver", "namespace"),
        ]
        if own := runs_own_etcd(self.spec):
            made.append(Step(f"{NAME}/etcd", self.own_etcd, (f"{NAME}/identity", f"{here}/images")))
        for name in self.parts:
            after = ("etcd",) if name == "karmada-apiserver" and (own or self.spec.has("etcd")) else ()
            needs = tuple(f"{NAME}/{need}" for need in (*NEEDS[name], *after))
            made.append(Step(f"{NAME}/{name}", partial(self.component, name), (*needs, f"{here}/images")))
        if self.spec.addons.search:
            made.append(step("search-registered", lambda: self.register("karmada-search"), "namespace"))
            made.append(step("search-api", self.search_api, "karmada-search", "search-registered"))
        if self.spec.addons.metrics_adapter:
            made.append(step("metrics-api", lambda: self.served_by("karmada-metrics-adapter"), "karmada-metrics-adapter", "namespace"))
        if self.spec.addons.estimators:
            members = tuple(member.name for member in self.spec.members)
            made.append(Step(f"{NAME}/estimators", self.estimators, (f"{NAME}/secrets", f"{here}/images", *members)))
        return [
            *made,
            Step(JOINABLE, do_nothing, (f"{NAME}/crds", f"{NAME}/webhooks", f"{NAME}/cluster-api", f"{NAME}/access")),
        ]

    def host_namespace(self) -> None:
        installation.begin(self.karmada)
        objects.ensure_namespace(self.host, manifests.NAMESPACE)

    def identity(self) -> None:
        """Make the certificates; the API server's names the node that it runs on.

        Upstream's scheduler mounts what it shows estimators, whether there are any or not.
        """
        given = self.spec.certificates
        named = given.model_copy(update={"hosts": (*given.hosts, host.node_address(self.host))})
        asking = self.spec.addons.model_copy(update={"estimators": True})
        spec = self.spec.model_copy(update={"certificates": named, "addons": asking})
        make_own_certificates(self.karmada)
        certificates.make(self.run.folder("pki", NAME), spec, server=self.server, kubeconfig=self.karmada.kubeconfig)

    def own_etcd(self) -> None:
        """Run the lab's own etcd, and return when it serves."""
        apply_own_etcd(self.karmada, self.images["etcd"].name)
        wait_own_etcd(self.karmada)

    def secrets(self) -> None:
        objects.apply_all(self.host, workload_manifests.secrets(self.deploy, self.layout.pki, self.spec))

    def component(self, name: str) -> None:
        """Apply one component and wait until it serves."""
        objects.apply_all(self.host, self.parts[name])
        wait_serving(self.host, workload_manifests.names(self.parts[name]), only=True, within=WITHIN)
        if name in LEASES and self.spec.settings(name).flags.get("leader-elect") != "false":
            until(lambda: held_lease(self.api, LEASES[name], name), what=f"{name} holds its lease", within=60.0)

    def estimators(self) -> None:
        """Apply the estimator of every member, which is reached by the member's own kubeconfig."""
        members = {member.name: member.kubeconfig for member in self.karmada.members}
        documents = workload_manifests.estimators(self.deploy, self.spec, self.images["karmada-scheduler-estimator"].name, members)
        objects.apply_all(self.host, documents)
        wait_serving(self.host, workload_manifests.names(documents), only=True, within=WITHIN)

    def access(self) -> None:
        """Roles, and what registering needs. Estimators are found by the names of their Services in the host cluster."""
        objects.apply_all(self.api, manifests.access(self.deploy, self.addresses))
