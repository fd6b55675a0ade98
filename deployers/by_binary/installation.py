"""Karmada as programs of the lab's machine, being installed: which programs, from which assets, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from deployers.by_binary import balancer
from deployers.by_binary.components import components, uses
from deployers.deployer import require_programs
from deployers.karmada import Karmada
from deployers.names import JOINABLE, LEASES, LOOPBACK, NAME, kind_of
from deployers.plane import certificates, manifests, objects
from deployers.plane.layout import Layout, estimator, etcds
from deployers.plane.leases import drop_stale, held_lease
from deployers.plane.manifests import Addresses
from deployers.plane.plane import TREES, ControlPlane, do_nothing, step
from deployers.spec import KarmadaSpec
from lab import audit, component
from lab.assets import AssetRef
from lab.component import Component
from lab.ports import ports_of
from lab.run import write_private
from lab.steps import Step

KUBERNETES = {"karmada-apiserver": "kube-apiserver", "kube-controller-manager": "kube-controller-manager"}
"""Components that are Kubernetes' own programs."""
STOPPED_LAST = (balancer.NAME, "karmada-apiserver", "etcd")
"""Components that others need while they end, in the order in which they are ended."""
OWN = (
    "karmada-aggregated-apiserver",
    "karmada-webhook",
    "karmada-controller-manager",
    "karmada-scheduler",
    "karmada-descheduler",
    "karmada-search",
    "karmada-metrics-adapter",
    "karmada-scheduler-estimator",
)


@dataclass(frozen=True)
class BinaryInstallation(ControlPlane):
    """One control plane of programs of the lab's machine. Each method is a step and may be run again."""

    @cached_property
    def programs(self) -> list[Component]:
        return [self.after_members(self.proven(part)) for part in components(self.spec, self.layout)]

    def after_members(self, part: Component) -> Component:
        """Return a karmada-controller-manager that starts after the clusters of members that are joined already, as in a kept lab.

        Starting before them it calls them not ready, and then wants 30 s of success (--cluster-success-threshold) before it says otherwise.
        """
        if kind_of(part) != "karmada-controller-manager":
            return part
        joined = self.run.records("members")
        return replace(part, needs=(*part.needs, *(member.name for member in self.karmada.members if member.name in joined)))

    def proven(self, part: Component) -> Component:
        """Return a program that, if it elects a leader, is ready only when the lease has a live holder."""
        kind = kind_of(part)
        if kind not in LEASES or part.flags.get("leader-elect") == "false":
            return part
        return replace(part, proof=lambda: held_lease(self.api, LEASES[kind], kind))

    @cached_property
    def addresses(self) -> Addresses:
        """What the release's files leave open, filled in for this computer. Not before `identity`."""
        given, layout = self.spec.load_balancer, self.layout
        servers = [use.removesuffix(".https") for use in layout.ports if use.endswith(".https")]
        return Addresses(
            ca=layout.ca.read_bytes(),
            apiserver=f"https://{given}" if given else layout.server(layout.front),
            webhook=f"{LOOPBACK}:{layout.entry('karmada-webhook')}",
            services={name: layout.entry(name) for name in servers},
        )

    def steps(self) -> list[Step]:
        """Return the steps besides the programs' own, and the two that others wait for."""
        made = [
            step("identity", self.identity),
            step("namespace", self.namespace, "karmada-apiserver"),
            step("crds", self.crds, "karmada-apiserver"),
            step("access", self.access, "namespace"),
            step("leases", self.leases, "namespace"),
            step("webhooks", self.webhooks, "karmada-webhook"),
            step("cluster-api", self.cluster_api, "karmada-aggregated-apiserver", "namespace"),
        ]
        if self.spec.addons.search:
            made.append(step("search-registered", lambda: self.register("karmada-search"), "namespace"))
            made.append(step("search-api", self.search_api, "karmada-search"))
        if self.spec.addons.metrics_adapter:
            made.append(step("metrics-api", lambda: self.served_by("karmada-metrics-adapter"), "karmada-metrics-adapter", "namespace"))
        return [
            *made,
            Step(JOINABLE, do_nothing, (f"{NAME}/crds", f"{NAME}/webhooks", f"{NAME}/cluster-api")),
        ]

    def identity(self) -> None:
        folder = self.run.folder("pki", NAME)
        front = self.layout.server(self.layout.front)
        certificates.make(folder, self.spec, server=self.layout.server(), kubeconfig=self.karmada.kubeconfig, front=front)
        if self.spec.by_binary.external_name:
            balancer.configure(self.spec, self.layout)
        for stem, text in self.spec.by_binary.files.items():
            write_private(self.run.folder("data", NAME) / stem, text.encode())
        audit.write_policy(self.run)

    def leases(self) -> None:
        drop_stale(self.api, self.run, self.programs)

    def access(self) -> None:
        """Roles, what registering needs, and the Services by which estimators are found."""
        asked = self.spec.members if self.spec.addons.estimators else ()
        services = [manifests.estimator_service(member.name, self.layout.ports[f"{estimator(member.name)}.grpc"]) for member in asked]
        objects.apply_all(self.api, [*manifests.access(self.deploy, self.addresses), *services])

    def webhooks(self) -> None:
        balancer.wait_serving(self.layout, "karmada-webhook")
        super().webhooks()


def assets_by_component(spec: KarmadaSpec) -> dict[str, str]:
    """Return the asset of each component, tree and tool of this control plane, as name@version."""
    wanted = {program: f"{program}@{spec.kubernetes}" for program in KUBERNETES.values()}
    if spec.etcd.external is None:
        wanted["etcd"] = "etcd"  # the pinned one
    pulling = ("karmada-agent",) if any(member.mode == "pull" for member in spec.members) else ()
    for name in (*(name for name in OWN if spec.has(name)), *TREES, "karmadactl", *pulling):
        wanted[name] = str(AssetRef.parse(f"{name}@{spec.release}"))
    return wanted


def make_layout(karmada: Karmada, software: Mapping[str, Path]) -> Layout:
    """Return where everything of this control plane is; ports are reserved now if they are not yet."""
    run, spec, members = karmada.run, karmada.spec, etcds(karmada)
    return Layout(
        pki=run.path / "pki" / NAME,
        data=run.path / "data" / NAME,
        ports=ports_of(run, NAME, uses(spec, members)),
        software={**software, balancer.NAME: balancer.program()} if spec.by_binary.external_name else software,
        members={member.name: member.kubeconfig for member in karmada.members},
        audit=audit.audit_flags(run, NAME),
        initial_flags=run.records("etcd"),
        etcds=tuple(members),
    )


def install_steps(plane: BinaryInstallation) -> list[Step]:
    """Return the steps that install or complete a control plane."""
    return [*component.make_steps(plane.programs, plane.run), *plane.steps()]


def open_plane(karmada: Karmada) -> BinaryInstallation:
    """Return a control plane that was installed so, to be changed while it runs; its software is found, or brought.

    NotPossible where another deployer made it: what is done here is done to programs of this lab.
    """
    spec = karmada.spec
    require_programs(karmada)
    assets = assets_by_component(spec)
    found = {str(ref): path for ref, path in karmada.supply.resolve(assets.values()).items()}
    return BinaryInstallation(karmada, make_layout(karmada, {name: found[str(AssetRef.parse(asset))] for name, asset in assets.items()}))
