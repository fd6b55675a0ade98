"""Karmada as programs of this computer or of machines, being installed: which programs, from which assets, in which order."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from deployers.by_binary import balancer, machines
from deployers.by_binary.components import apiservers, components, uses
from deployers.deployer import require_programs
from deployers.karmada import Karmada
from deployers.names import JOINABLE, LEASES, LOOPBACK, NAME
from deployers.plane import certificates, manifests, objects
from deployers.plane.layout import Layout, estimator, etcds, open_places, reach_addresses
from deployers.plane.leases import drop_stale, held_lease
from deployers.plane.manifests import Addresses
from deployers.plane.plane import TREES, ControlPlane, do_nothing, step
from deployers.spec import KarmadaSpec
from lab import audit, component
from lab.api import Api
from lab.assets import AssetRef
from lab.component import Component
from lab.machines.placement import Placement, place_run
from lab.place_component import place_component
from lab.ports import ports_of
from lab.run import write_private
from lab.spec import LabSpec
from lab.steps import Step

KUBERNETES = {"karmada-apiserver": "kube-apiserver", "kube-controller-manager": "kube-controller-manager"}
"""Components that are Kubernetes' own programs."""
ESTIMATOR = "karmada-scheduler-estimator"
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
    ESTIMATOR,
)


@dataclass(frozen=True)
class BinaryInstallation(ControlPlane):
    """One control plane of programs of this computer or of machines of the lab. Each method is a step and may be run again."""

    @cached_property
    def programs(self) -> list[Component]:
        """Every program, as its machine has it."""
        return [self.placed(self.after_members(self.proven(part))) for part in components(self.spec, self.layout)]

    def place(self, instance: str) -> Placement:
        """Return the machine that an instance of a component runs on; it may be this computer."""
        return self.layout.place(instance) or place_run(self.run, "")

    def placed(self, part: Component) -> Component:
        """Return a program as the machine that it runs on has it, after what it needs there."""
        place = self.layout.place(part.name)
        if place is None:
            return part
        needs = [machines.bring_step(place.name), *([machines.KUBECONFIGS] if part.kind == ESTIMATOR else [])]
        return place_component(replace(part, needs=(*part.needs, *needs)), place)

    @cached_property
    def api(self) -> Api:
        """karmada-apiserver as an administrator beside it sees it: never through a load balancer. Not before `identity`.

        On machines it is the first instance that takes connections, since a machine may be lost.
        """
        servers = [self.layout.server(instance) for instance in apiservers(self.spec)]
        chosen = next(filter(takes_connections, servers), servers[0]) if len(servers) > 1 else servers[0]
        return Api.open(self.layout.pki / "admin.kubeconfig", server=chosen)

    def after_members(self, part: Component) -> Component:
        """Return a karmada-controller-manager that starts after the clusters of members that are joined already, as in a kept lab.

        Starting before them it calls them not ready, and then wants 30 s of success (--cluster-success-threshold) before it says otherwise.
        """
        if part.kind != "karmada-controller-manager":
            return part
        joined = self.run.records("members")
        return replace(part, needs=(*part.needs, *(member.name for member in self.karmada.members if member.name in joined)))

    def proven(self, part: Component) -> Component:
        """Return a program that, if it elects a leader, is ready only when the lease has a live holder."""
        kind = part.kind
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
            apiserver=f"https://{given}" if given else self.users_server,
            webhook=f"{LOOPBACK}:{layout.entry('karmada-webhook')}",
            services={name: layout.entry(name) for name in servers},
        )

    @property
    def users_server(self) -> str:
        """The URL by which users and agents reach the lab's own balancer, or karmada-apiserver where there is none."""
        if not self.layout.places:
            return self.layout.server(self.layout.front)
        host = self.spec.by_binary.virtual_address or self.layout.places[0].address
        return f"https://{host}:{self.layout.ports[f'{balancer.NAME}.https']}"

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
            *machines.machine_steps(self.karmada, self.layout, self.list_software()),
            *made,
            Step(JOINABLE, do_nothing, (f"{NAME}/crds", f"{NAME}/webhooks", f"{NAME}/cluster-api")),
        ]

    def identity(self) -> None:
        folder = self.run.folder("pki", NAME)
        certificates.make(
            folder,
            self.spec,
            server=self.layout.server(),
            kubeconfig=self.karmada.kubeconfig,
            front=self.layout.entrance,
            users=self.users_server,
            addresses=reach_addresses(self.spec, self.layout.places),
        )
        balancer.configure(self.spec, self.layout)
        for stem, text in self.spec.by_binary.files.items():
            write_private(self.run.folder("data", NAME) / stem, text.encode())
        audit.write_policy(self.run)
        machines.push_identity(self.run, self.layout.places)

    def bring(self, part: Component) -> None:
        """Bring the programs of one component to the machine that it runs on; those that are there are left alone."""
        if place := self.layout.place(part.name):
            machines.bring_programs(place, self.list_software(part.kind)[place.name])

    def list_software(self, kind: str = "") -> dict[str, set[Path]]:
        """Return the programs that each machine needs by its name, of one component if it is named."""
        found: dict[str, set[Path]] = {place.name: set() for place in self.layout.places}
        for part in components(self.spec, self.layout):
            place = self.layout.place(part.name)
            if place and kind in {"", part.kind}:
                found[place.name].add(part.binary)
        return found

    def leases(self) -> None:
        drop_stale(self.api, self.run, self.programs)

    def access(self) -> None:
        """Roles, what registering needs, and the Services by which estimators are found."""
        asked = self.spec.members if self.spec.addons.estimators else ()
        services = [
            manifests.estimator_service(member.name, self.layout.ports[f"{name}.grpc"], self.layout.address(name))
            for member in asked
            for name in (estimator(member.name),)
        ]
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
        software={**software, balancer.NAME: balancer.program()} if spec.by_binary.balanced else software,
        members={member.name: member.kubeconfig for member in karmada.members},
        audit=audit.audit_flags(run, NAME),
        initial_flags=run.records("etcd"),
        etcds=tuple(members),
        places=open_places(run, spec),
        durable=bool(spec.by_binary.machines) and may_lose_power(karmada.lab.spec),
    )


def may_lose_power(spec: LabSpec) -> bool:
    """Return whether the machines of a lab can stop by themselves: namespaces and containers live as long as this computer's kernel."""
    return spec.machines is not None and spec.machines.kind in {"ssh", "vm"}


def takes_connections(server: str) -> bool:
    """Return whether something accepts connections at a URL."""
    where = urlsplit(server)
    try:
        socket.create_connection((str(where.hostname), where.port or 443), timeout=2.0).close()
    except OSError:
        return False
    return True


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
