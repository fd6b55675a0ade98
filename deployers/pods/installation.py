"""The common part of deployers in pods: the preflight, the moment when members can join, and the check for leftovers.

The steps around each deployer's own:

    karmada/images, host/images → the installer → karmada/pods → karmada/description → karmada
                                     ‖ beside it: karmada/joinable, as soon as CRDs and the aggregated API answer
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deployers.karmada import Karmada, description_file
from deployers.members.bootstrap_token import CLUSTER_INFO
from deployers.members.registry import CLUSTERS
from deployers.names import NAMESPACE
from deployers.options import Support, refusals
from deployers.plane import manifests
from deployers.plane.objects import CRDS, SERVICES, condition, is_established
from deployers.plane.preflight import unknown_member_errors
from deployers.pods import workloads
from deployers.pods.etcd.names import runs_own_etcd
from deployers.spec import KarmadaSpec, profiles
from lab.api import Api, Json, Refused, Unreachable
from lab.assets import AssetRef
from lab.errors import LabError, LeakError, ProvisionError
from lab.spec import LabSpec
from lab.steps import Step
from lab.wait import NotYet, until

SERVING_WITHIN = 240.0
RBAC = "/apis/rbac.authorization.k8s.io/v1"
RECORD = "karmada"


def preflight_errors(spec: KarmadaSpec, lab: LabSpec, support: Support, *, on_nodes: bool = True) -> list[str]:
    """Return the errors of a spec that all deployers in pods share, one sentence each. `on_nodes`: etcd keeps its data on a node's disk."""
    found = [*refusals(spec, support), *unknown_member_errors(spec, lab)]
    if on_nodes and lab.host.kubeconfig and spec.etcd.external is None and not runs_own_etcd(spec):
        found.append(
            f"deployer: {spec.deployer} keeps etcd's data on a node's disk, where nothing could remove it from an existing host cluster; "
            "give etcd.storage, which keeps it on a persistent volume, or use by_karmadactl, by_binary, or an external etcd"
        )
    if spec.addons.estimators and not spec.members:
        found.append("addons.estimators: this Karmada has no members to estimate")
    pulling = [member.name for member in spec.members if member.mode == "pull"]
    if pulling and (flags := profiles()[spec.profile].get("karmada-agent")):
        missing = ", ".join(f"--{name}" for name in flags)
        found.append(f"profile {spec.profile}: karmadactl register cannot set {missing} on the agent of {pulling[0]}; by_binary can")
    return found


def anti_affinity_errors(spec: KarmadaSpec, lab: LabSpec, components: Iterable[str]) -> list[str]:
    """Return an error for each component with more replicas than nodes where upstream's manifest requires one pod a node."""
    nodes = 1 + sum(group.count for group in lab.host.workers)
    return [
        f"components.{name}.replicas: upstream's manifest allows one pod of {name} to a node (required anti-affinity), "
        f"and the host cluster has {nodes}: give it workers"
        for name in components
        if spec.settings(name).replicas > nodes
    ]


@dataclass
class InstallProgress:
    """The state of an installer that runs in parallel to steps that wait for its results: whether it has started, and whether it failed."""

    begun: threading.Event = field(default_factory=threading.Event)
    failed: threading.Event = field(default_factory=threading.Event)

    def watched(self, install: Callable[[], object]) -> Callable[[], None]:
        """Return an action that does `install` and lets those who wait know when it fails."""

        def act() -> None:
            try:
                install()
            except BaseException:
                self.failed.set()
                raise

        return act

    def check(self) -> None:
        """NotYet before it began; ProvisionError when it failed, since nothing will come."""
        if self.failed.is_set():
            raise ProvisionError("the installation failed before members could join")
        if not self.begun.is_set():
            raise NotYet("the installation has not started")


@dataclass(frozen=True)
class PodsInstallation:
    """One control plane being installed by a program of upstream's own. Each method of a subclass is a step and may be run again."""

    karmada: Karmada
    software: Mapping[str, Path]
    progress: InstallProgress = field(default_factory=InstallProgress)

    @property
    def spec(self) -> KarmadaSpec:
        return self.karmada.spec

    @property
    def host(self) -> Api:
        return self.karmada.lab.host.api

    def tree(self, name: str) -> Path:
        """Return a directory of the release."""
        return self.software[str(AssetRef.parse(f"{name}@{self.spec.release}"))]


def wait_joinable(karmada: Karmada, progress: InstallProgress, kubeconfig: Callable[[], None], *, within: float = SERVING_WITHIN) -> None:
    """Return when members can be registered: the kubeconfig is there, CRDs are established, the aggregated API answers.

    `kubeconfig` writes it, or raises NotYet. Webhooks may not serve yet: nothing that registering writes goes through one.
    """
    crds = len(manifests.custom_resources(karmada.release.crds, manifests.Addresses(b"", "", "", {})))

    def joinable() -> None:
        progress.check()
        if not karmada.kubeconfig.exists():
            kubeconfig()
        try:
            api = karmada.api
            there = sum("karmada.io" in item["spec"]["group"] or "x-k8s.io" in item["spec"]["group"] for item in list_established(api))
            if there < crds:
                raise NotYet(f"{there} of {crds} CRDs are established")
            service = api.find(f"{SERVICES}/v1alpha1.cluster.karmada.io")
            if (why := condition(service, "Available") if service else "not registered") is not None:
                raise NotYet(f"the aggregated API: {why}")
            api.get(CLUSTERS, limit="1")
            if any(member.mode == "pull" for member in karmada.spec.members) and api.find(CLUSTER_INFO) is None:
                raise NotYet("kube-public/cluster-info is not there")
        except (Unreachable, Refused) as error:
            raise NotYet(error.what) from error

    until(joinable, what="members can join", within=within, every=0.5)


def list_established(api: Api) -> list[Json]:
    """Return the CRDs that serve."""
    return [item for item in api.items(CRDS) if is_established(item)]


def last_steps(karmada: Karmada, workload_names: Sequence[str], needs: Sequence[str]) -> list[Step]:
    """Return the step after an installer's: all pods are ready."""
    host = karmada.lab.host

    def serving() -> None:
        workloads.wait_serving(host.api, workload_names, within=SERVING_WITHIN)

    return [
        Step("karmada/pods", serving, tuple(needs)),
    ]


# -- earlier installations and leftovers ------------------------------------------------------------------------------


def owned_objects(host: Api) -> list[str]:
    """Return what of Karmada's is on a host cluster, one line each, namespaced objects by their namespace alone."""
    found = [f"namespace {name}" for name in names(host, "/api/v1/namespaces") if name == NAMESPACE]
    for kind in ("clusterroles", "clusterrolebindings"):
        found += [f"{kind[:-1]} {name}" for name in names(host, f"{RBAC}/{kind}") if "karmada" in name]
    found += [f"customresourcedefinition {name}" for name in names(host, CRDS) if name.endswith(".karmada.io")]
    found += [
        f"label {label} of node {node['metadata']['name']}"
        for node in host.items("/api/v1/nodes")
        for label in node["metadata"].get("labels", {})
        if "karmada.io/" in label
    ]
    return found


def names(host: Api, path: str) -> list[str]:
    return [str(item["metadata"]["name"]) for item in host.items(path)]


def begin(karmada: Karmada) -> None:
    """Record, once, that this run is about to install, and what of Karmada's was on the host cluster already.

    Records of a host cluster that was recreated since are deleted, with keys and kubeconfig. ProvisionError when a
    Karmada runs there that this run did not install: two would fight for the same names.
    """
    host = karmada.lab.host
    there = [each.name for each in workloads.workloads(host.api)]
    if karmada.run.recorded(RECORD, "install"):
        if there:
            return
        forget(karmada)
    elif there:
        raise ProvisionError(
            f"there is a Karmada on {host.name} already, which this lab did not install: {', '.join(there)}",
            where=f"{host.api.server}, namespace {NAMESPACE}",
            remedy="remove it as it was installed, or take another host cluster",
        )
    karmada.run.record(RECORD, "install", {"state": "installing", "before": owned_objects(host.api)})


def finish(karmada: Karmada) -> None:
    """Record that the installer is finished."""
    karmada.run.record(RECORD, "install", {**(karmada.run.recorded(RECORD, "install") or {}), "state": "installed"})


def state(karmada: Karmada) -> str:
    """Return "" before anything was installed, "installing" after an installation that was cut short, "installed"."""
    return str((karmada.run.recorded(RECORD, "install") or {}).get("state", ""))


def wait_removed(karmada: Karmada, *, within: float = 120.0) -> None:
    """Return when the host cluster has no objects of this Karmada. LeakError names the leftovers on a timeout."""
    before = set((karmada.run.recorded(RECORD, "install") or {}).get("before", []))
    host = karmada.lab.host.api

    def gone() -> None:
        if left := [line for line in owned_objects(host) if line not in before]:
            raise NotYet("; ".join(left))

    try:
        until(gone, what="nothing of Karmada is left on the host cluster", within=within, every=1.0)
    except LabError as late:
        raise LeakError(
            "removing Karmada from the host cluster failed: objects are left",
            where=karmada.lab.host.api.server,
            detail="\n".join(line for line in owned_objects(host) if line not in before),
            remedy="delete them: kubectl --context karmada-host delete …",
        ) from late


def forget(karmada: Karmada) -> None:
    """Delete what a run keeps of a control plane in pods: keys, records, kubeconfig, description."""
    for folder in (karmada.run.path / "pki" / karmada.name, karmada.run.path / "data" / karmada.name):
        shutil.rmtree(folder, ignore_errors=True)
    karmada.kubeconfig.unlink(missing_ok=True)
    description_file(karmada.run).unlink(missing_ok=True)
    for record in list(karmada.run.records(RECORD)):
        karmada.run.forget(RECORD, record)
