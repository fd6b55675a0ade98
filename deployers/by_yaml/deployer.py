"""Karmada as upstream's own manifests: artifacts/deploy on the host cluster, as hack/deploy-karmada.sh puts them there.

Files, Secrets and their names are upstream's. The order is computed, and differs from the script's in one thing: the hooks come after the
webhook that answers them, so that there is no time in which every write of a policy fails.

    host → identity → secrets → etcd → karmada-apiserver → crds, access, kube-controller-manager
                                                         → webhook → webhooks ────────┬→ karmada-controller-manager, karmada-scheduler …
                                                         → aggregated-apiserver → cluster-api
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from deployers import JOINABLE, READY
from deployers.by_binary.components import LEASES
from deployers.by_binary.deployer import NAME, TREES, Plane, nothing, step
from deployers.by_yaml import workload_manifests
from deployers.checks import description
from deployers.karmada import Karmada
from deployers.options import CARRIED, complete
from deployers.options import OPTIONS as ALL
from deployers.plane import certificates, manifests, objects
from deployers.plane.layout import Layout
from deployers.plane.leases import held
from deployers.plane.manifests import Addresses
from deployers.pods import agent, host, images, installation
from deployers.pods.image_steps import image_steps, load_all
from deployers.pods.images import Use
from deployers.pods.workloads import afresh, until_serving
from deployers.spec import KarmadaSpec
from lab.api import Api
from lab.assets import AssetRef
from lab.cluster import Lab
from lab.spec import Capability, LabSpec
from lab.steps import Step
from lab.wait import until

PORT = 5443
"""Of karmada-apiserver, whose pod has its node's network."""
DATA = "/var/lib/karmada-etcd"
"""Of etcd, on its node. Upstream's hack/undeploy-karmada.sh leaves it and asks that it be removed by hand."""
WITHIN = 180.0
ONE_A_NODE = "upstream's manifest puts each replica on a node of its own, with the node's own port"
OPTIONS = complete(
    {
        **dict.fromkeys(ALL, CARRIED),
        "config_file": "only karmadactl init has one",
        "etcd.members": "upstream's manifest is of one member: its name and its peers are written into its flags",
        "components.karmada-apiserver.replicas": ONE_A_NODE,
        "components.kube-controller-manager.replicas": "upstream's manifest puts each replica on a node of its own",
    }
)
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
class ByYaml:
    """Upstream's manifests, the deployment that its own tests run."""

    needs: frozenset[Capability] = frozenset({Capability.PODS})
    options: Mapping[str, str] = field(default_factory=lambda: OPTIONS)

    def software(self, spec: KarmadaSpec) -> list[str]:
        """Return the assets in the images, upstream's manifests and CRDs, and karmadactl."""
        return [*images.software(spec), *(str(AssetRef.parse(f"{name}@{spec.release}")) for name in (*TREES, "karmadactl"))]

    def images(self, spec: KarmadaSpec, *, version: str, host: str = "host") -> tuple[Use, ...]:
        """Return the images of a control plane."""
        return images.needed(spec, images.moved, version=version, host=host)

    def check(self, spec: KarmadaSpec, lab: LabSpec) -> list[str]:
        """Return what of the spec cannot take effect here. Nothing is created."""
        return installation.obstacles(spec, lab, OPTIONS)

    def install(self, lab: Lab, spec: KarmadaSpec, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps of the control plane, from nothing or from what is there. UsageError for what upstream's files cannot be."""
        karmada = Karmada(lab, spec)
        plane, wanted = self.plane(karmada, software)
        return [*image_steps(karmada, wanted, software), *plane.steps()]

    def upgrade(self, karmada: Karmada, spec: KarmadaSpec, software: Mapping[str, Path], *, back: bool) -> list[Step]:
        """Return the steps to another release, whose manifests are applied in the place of those before; see `deployers.day2.upgrade`."""
        from deployers.plane.rollout import AGENTS, Act, all_of, chained, in_order  # noqa: PLC0415 (which is made of what is here)

        wanted = replace(karmada, spec=spec)
        plane, uses = self.plane(wanted, software)
        parts: dict[str, Act] = {name: partial(plane.component, name) for name in plane.parts}
        if spec.addons.estimators:
            parts["karmada-scheduler-estimator"] = plane.estimators
        if any(member.mode == "pull" for member in spec.members):
            parts[AGENTS] = partial(agent.exchange, wanted)

        def images() -> None:
            load_all(wanted, uses, software)
            plane.identity()
            plane.secrets()

        # Etcd has one member, so it is away until its new pod is ready; what ended meanwhile would wait ever longer to be started again.
        parts["kube-controller-manager"] = partial(all_of, lambda: afresh(plane.host, within=WITHIN), parts["kube-controller-manager"])
        return chained([("images", images), *in_order(plane, parts, back=back), ("settled", partial(installation.settled, wanted))])

    def plane(self, karmada: Karmada, software: Mapping[str, Path]) -> tuple[Manifests, tuple[Use, ...]]:
        """Return a control plane of a release's manifests, and the images in it."""
        spec = karmada.spec
        wanted = self.images(spec, version=karmada.release.version, host=karmada.lab.host.name)
        trees = {name: software[str(AssetRef.parse(f"{name}@{spec.release}"))] for name in TREES}
        layout = Layout(pki=karmada.run.path / "pki" / NAME, data=karmada.run.path / "data" / NAME, ports={}, software=trees)
        return Manifests(karmada, layout, images.by_component(wanted)), wanted

    def remove(self, karmada: Karmada) -> None:
        """Delete Karmada's namespace on the host cluster and the data of its etcd; forget its keys.

        The clusters stay as they are, Karmada's accounts on joined members included: unjoin before, where that matters. LeakError when
        something is left.
        """
        karmada.run.journal("remove", what=NAME)
        host.remove_namespace(karmada.lab.host.api)
        host.remove_data(karmada.lab, DATA)
        installation.until_gone(karmada)
        installation.forget(karmada)


@dataclass(frozen=True)
class Manifests(Plane):
    """One control plane of upstream's manifests being applied. What is done to its API is as for any other."""

    images: Mapping[str, Use] = field(default_factory=dict)

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
            Step(f"{NAME}/identity", self.identity, (here,)),
            step("secrets", self.secrets, "identity", "host-namespace"),
            step("namespace", self.namespace, "karmada-apiserver"),
            step("crds", self.crds, "karmada-apiserver"),
            step("access", self.access, "namespace"),
            step("webhooks", self.webhooks, "karmada-webhook"),
            step("cluster-api", self.cluster_api, "karmada-aggregated-apiserver", "namespace"),
        ]
        for name in self.parts:
            after = ("etcd",) if name == "karmada-apiserver" and self.spec.has("etcd") else ()
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
        done = tuple(each.name for each in made)
        return [
            *made,
            Step(JOINABLE, nothing, (f"{NAME}/crds", f"{NAME}/webhooks", f"{NAME}/cluster-api", f"{NAME}/access")),
            Step(f"{NAME}/description", lambda: description.save_once(self.karmada), done, first=1),
            Step(READY, nothing, done),
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
        certificates.make(self.run.folder("pki", NAME), spec, server=self.server, kubeconfig=self.karmada.kubeconfig)

    def secrets(self) -> None:
        objects.apply_all(self.host, workload_manifests.secrets(self.deploy, self.layout.pki, self.spec))

    def component(self, name: str) -> None:
        """Apply one component and return when it serves."""
        objects.apply_all(self.host, self.parts[name])
        until_serving(self.host, workload_manifests.names(self.parts[name]), only=True, within=WITHIN)
        if name in LEASES and self.spec.settings(name).flags.get("leader-elect") != "false":
            until(lambda: held(self.api, LEASES[name], name), what=f"{name} holds its lease", within=60.0)

    def estimators(self) -> None:
        """Apply the estimator of every member, which is reached by the member's own kubeconfig."""
        members = {member.name: member.kubeconfig for member in self.karmada.members}
        documents = workload_manifests.estimators(self.deploy, self.spec, self.images["karmada-scheduler-estimator"].name, members)
        objects.apply_all(self.host, documents)
        until_serving(self.host, workload_manifests.names(documents), only=True, within=WITHIN)

    def access(self) -> None:
        """Roles, and what registering needs. Estimators are found by the names of their Services in the host cluster."""
        objects.apply_all(self.api, manifests.access(self.deploy, self.addresses))
