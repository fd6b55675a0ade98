"""Karmada as programs of this lab's machine: no container, no host cluster, its own etcd and kube-apiserver.

The website's page on binary installation has not worked for years (flags that are gone, webhook addresses that are never
filled in); this follows artifacts/deploy of the release instead, in an order computed from what each part needs:

    identity → etcd → karmada-apiserver → crds ─────────────────────────┬→ karmada-controller-manager, karmada-scheduler …
                                        → namespace → access, leases ───┤
                                        → webhook → webhooks ───────────┤   (hooks after what answers them: upstream's order leaves a gap
                                        → aggregated-apiserver          │    in which every write of a policy fails)
                                             → cluster-api ─────────────┘
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from deployers import JOINABLE, READY
from deployers.by_binary import balancer
from deployers.by_binary.components import LEASES, components, kind_of, uses
from deployers.checks import description
from deployers.karmada import Karmada
from deployers.options import CARRIED, IN_PART, complete, refusals
from deployers.options import OPTIONS as ALL
from deployers.plane import certificates, manifests, objects
from deployers.plane.layout import LOOPBACK, Layout, estimator
from deployers.plane.leases import drop_stale, held
from deployers.plane.manifests import Addresses
from deployers.plane.preflight import alone, obstacles
from deployers.spec import COMPONENTS, KarmadaSpec, catalogue
from lab import audit, component
from lab.api import Api
from lab.assets import AssetRef, Supply
from lab.cluster import Lab
from lab.component import Component
from lab.ports import ports_of
from lab.run import Run, write_private
from lab.spec import Capability, LabSpec
from lab.steps import Step
from lab.supervisor.client import Supervisor

NAME = "karmada"
KUBERNETES = {"karmada-apiserver": "kube-apiserver", "kube-controller-manager": "kube-controller-manager"}
"""Components that are Kubernetes' own programs."""
LAST = (balancer.NAME, "karmada-apiserver", "etcd")
"""Components that others need while they end, in the order in which they are ended."""
TREES = ("karmada-crds", "karmada-manifests")
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
SEVERAL = f"{IN_PART}several need external_name: a haproxy of the lab stands before them"
OPTIONS = complete(
    {
        **dict.fromkeys(ALL, CARRIED),
        "etcd.absent": CARRIED,
        "config_file": "only karmadactl init has one",
        "registry": "programs are started as they are: there are no images",
        "external_name": CARRIED,
        **{f"components.{name}.replicas": alone(name) for name in COMPONENTS if alone(name)},
        **{f"components.{name}.replicas": SEVERAL for name in ("karmada-apiserver", *balancer.BEHIND)},
    }
)


@dataclass(frozen=True)
class ByBinary:
    """The default deployer."""

    needs: frozenset[Capability] = frozenset({Capability.MACHINES})
    options: Mapping[str, str] = field(default_factory=lambda: OPTIONS)

    def software(self, spec: KarmadaSpec) -> list[str]:
        """Return the assets that this control plane needs, and karmadactl."""
        return list(names(spec).values())

    def check(self, spec: KarmadaSpec, lab: LabSpec) -> list[str]:
        """Return what of the spec cannot take effect here. Nothing is created."""
        return [*refusals(spec, OPTIONS), *obstacles(spec, lab)]

    def install(self, lab: Lab, spec: KarmadaSpec, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps of the control plane, from nothing or from what is there. They read nothing of each other but files."""
        karmada = Karmada(lab, spec)
        plane = Plane(karmada, laid_out(karmada, {name: software[asset] for name, asset in names(spec).items()}))
        return install_steps(plane)

    def upgrade(self, karmada: Karmada, spec: KarmadaSpec, software: Mapping[str, Path], *, back: bool) -> list[Step]:
        """Return the steps to another release; see `deployers.day2.upgrade`."""
        from deployers.plane.rollout import exchange_steps  # noqa: PLC0415 (which is made of what is here)

        wanted = replace(karmada, spec=spec)
        return exchange_steps(Plane(wanted, laid_out(wanted, {name: software[asset] for name, asset in names(spec).items()})), back=back)

    def remove(self, karmada: Karmada) -> None:
        """Stop Karmada's programs and delete their keys, data and records.

        The clusters stay as they are, joined members' service accounts and Karmada's namespaces on them included: unjoin before,
        where that matters. An external etcd keeps what was written to it.
        """
        run = karmada.run
        run.journal("remove", what=NAME)
        supervisor = Supervisor(run.path)
        if status := supervisor.status():
            supervisor_stop(supervisor, [name for name, state in status.programs.items() if name.startswith(f"{NAME}/") and state.runs])
        forget(karmada)


def forget(karmada: Karmada) -> None:
    """Delete what a run keeps of a control plane that is gone: keys, data, kubeconfig, description and records."""
    run = karmada.run
    for program in component.recorded_health(run):
        if program.startswith(f"{NAME}/"):
            run.forget(component.HEALTH, component.record_name(program))
    for folder in (run.path / "pki" / NAME, run.path / "data" / NAME):
        shutil.rmtree(folder, ignore_errors=True)
    karmada.kubeconfig.unlink(missing_ok=True)
    description.file_of(run).unlink(missing_ok=True)
    for kind in (NAME, "etcd"):
        for record in list(run.records(kind)):
            run.forget(kind, record)


def supervisor_stop(supervisor: Supervisor, programs: Sequence[str]) -> None:
    """Stop programs, those that others need last: controllers before the API server they call, etcd at the very end."""
    last = [name for kind in LAST for name in programs if kind_of(name) == kind]
    objects.each(supervisor.stop, [name for name in programs if name not in last])
    for name in last:
        supervisor.stop(name)


def names(spec: KarmadaSpec) -> dict[str, str]:
    """Return the asset of each component, tree and tool of this control plane, as name@version."""
    wanted = {program: f"{program}@{spec.kubernetes}" for program in KUBERNETES.values()}
    if spec.etcd.external is None:
        wanted["etcd"] = "etcd"  # the pinned one
    pulling = ("karmada-agent",) if any(member.mode == "pull" for member in spec.members) else ()
    for name in (*(name for name in OWN if spec.has(name)), *TREES, "karmadactl", *pulling):
        wanted[name] = str(AssetRef.parse(f"{name}@{spec.release}"))
    return wanted


def laid_out(karmada: Karmada, software: Mapping[str, Path]) -> Layout:
    """Return where everything of this control plane is; ports are reserved now if they are not yet."""
    run, spec = karmada.run, karmada.spec
    return Layout(
        pki=run.path / "pki" / NAME,
        data=run.path / "data" / NAME,
        ports=ports_of(run, NAME, uses(spec)),
        software={**software, balancer.NAME: balancer.program()} if spec.external_name else software,
        members={member.name: member.kubeconfig for member in karmada.members},
        audit=audit.flags(run, NAME),
        births=run.records("etcd"),
    )


def install_steps(plane: Plane) -> list[Step]:
    """Return the steps that bring a control plane up from nothing, or from what is there."""
    return [*component.steps(plane.programs, plane.run), *plane.steps()]


def opened(karmada: Karmada) -> Plane:
    """Return a control plane that was installed so, to be changed while it runs; its software is found, or brought.

    NotPossible where another deployer made it: what is done here is done to programs of this lab.
    """
    spec = karmada.spec
    karmada.demand_programs()
    assets = names(spec)
    found = {str(ref): path for ref, path in Supply(offline=spec.offline, catalogue=catalogue()).resolve(assets.values()).items()}
    return Plane(karmada, laid_out(karmada, {name: found[str(AssetRef.parse(asset))] for name, asset in assets.items()}))


@dataclass(frozen=True)
class Plane:
    """One control plane being installed: its programs, and what is done to its API. Each method is a step and may be run again."""

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
        """Return a program that, where it elects a leader, counts as ready only when somebody holds the lease."""
        kind = kind_of(part)
        if kind not in LEASES or part.flags.get("leader-elect") == "false":
            return part
        return replace(part, proof=lambda: held(self.api, LEASES[kind], kind))

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
        programs = tuple(part.name for part in self.programs)
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
        done = (*programs, *(each.name for each in made))
        return [
            *made,
            Step(JOINABLE, nothing, (f"{NAME}/crds", f"{NAME}/webhooks", f"{NAME}/cluster-api")),
            Step(f"{NAME}/description", lambda: description.save_once(self.karmada), done, first=1),
            Step(READY, nothing, done),
        ]

    def identity(self) -> None:
        folder = self.run.folder("pki", NAME)
        front = self.layout.server(self.layout.front)
        certificates.make(folder, self.spec, server=self.layout.server(), kubeconfig=self.karmada.kubeconfig, front=front)
        if self.spec.external_name:
            balancer.configure(self.spec, self.layout)
        for stem, text in self.spec.files.items():
            write_private(self.run.folder("data", NAME) / stem, text.encode())
        audit.write_policy(self.run)

    def namespace(self) -> None:
        objects.ensure_namespace(self.api, manifests.NAMESPACE)

    def crds(self) -> None:
        objects.ensure_crds(self.api, self.run, self.layout.software["karmada-crds"], self.addresses)

    def leases(self) -> None:
        drop_stale(self.api, self.run, self.programs)

    def access(self) -> None:
        """Roles, what registering needs, and the Services by which estimators are found."""
        asked = self.spec.members if self.spec.addons.estimators else ()
        services = [manifests.estimator_service(member.name, self.layout.ports[f"{estimator(member.name)}.grpc"]) for member in asked]
        objects.apply_all(self.api, [*manifests.access(self.deploy, self.addresses), *services])

    def webhooks(self) -> None:
        balancer.until_leads(self.layout, "karmada-webhook")
        objects.apply_all(self.api, manifests.webhook_configurations(self.deploy, self.addresses))

    def cluster_api(self) -> None:
        self.served_by("karmada-aggregated-apiserver")
        objects.until_answers(self.api, "/apis/cluster.karmada.io/v1alpha1/clusters")

    def search_api(self) -> None:
        self.served_by("karmada-search")
        objects.until_answers(self.api, "/apis/search.karmada.io/v1alpha1/resourceregistries")

    def register(self, server: str) -> list[str]:
        """Register the APIs of an aggregated API server, and return their names. Those with nothing behind them slow discovery down."""
        found = manifests.api_services(self.deploy, server, self.addresses)
        for document in found:
            self.api.apply(document)
        return [document["metadata"]["name"] for document in found if document["kind"] == "APIService"]

    def served_by(self, server: str) -> None:
        """Register the APIs of an aggregated API server and return when they are available."""
        objects.until_available(self.api, self.register(server))


def step(name: str, action: Callable[[], object], *needs: str) -> Step:
    """Return a step of this control plane that needs others of it."""
    return Step(f"{NAME}/{name}", action, tuple(f"{NAME}/{need}" for need in needs))


def nothing() -> None:
    """A step that has passed when all it needs has."""
