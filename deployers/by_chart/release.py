"""Installing upstream's chart: its helm releases, what they need from outside, and the leftovers of uninstalling them.

Three things that upstream leaves to the installer (1.18.2; each was met in a real run):

- with an external etcd, karmada-apiserver's init container waits for a Service `etcd-client` that the chart makes for an internal one only;
- component mode mounts a Secret `<release>-cert` that only host mode makes, and for its own release only;
- `helm uninstall` runs a job that deletes the namespace in which it runs, so helm ends with an error (its own record is gone: "Failed to
  purge the release"); what is left then is `LEFT`, and etcd's data on the node. With certificates that are given there is no such job:
  the namespace and the ConfigMaps of its hooks are left, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deployers.by_chart import certificates
from deployers.by_chart import values as chart_values
from deployers.checks.rollout import wait_rollout
from deployers.deployer import ImageUse
from deployers.members.member_record import MemberRecord
from deployers.members.registry import claim, wait_member_ready
from deployers.names import JOINABLE, LEASES, NAME, NAMESPACE
from deployers.plane import manifests, objects
from deployers.plane.leases import held_lease
from deployers.plane.plane import do_nothing, step
from deployers.pods import helm as charts
from deployers.pods import host, installation
from deployers.pods.etcd.install import apply_own_etcd, make_own_certificates, wait_own_etcd
from deployers.pods.etcd.names import runs_own_etcd
from deployers.pods.helm import Helm
from deployers.pods.workloads import wait_serving, why
from lab.api import Api
from lab.cluster import Cluster
from lab.errors import CommandFailed, NotReady, ProvisionError
from lab.hints import command
from lab.kubeconfig import read_pems
from lab.run import Run, write_private
from lab.steps import Step
from lab.wait import NotYet, until
from lab.yaml_text import dump_yaml

Json = dict[str, Any]
HELM = "helm"
RELEASE, ESTIMATORS, AGENT = "karmada", "karmada-estimators", "karmada-agent"
"""The helm releases: of the control plane, of the estimators, and on a member that pulls."""
DATA = "/var/lib/karmada-system"
"""Of etcd, on its node."""
LEFT = (
    f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/karmada-hook-job",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/karmada-hook-job",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/karmada-hook-job",
)
"""The objects besides the namespace that upstream's README requires to be deleted manually."""
WITHIN = 240.0
SETTLED = "deployed"


@dataclass(frozen=True)
class ChartInstallation(installation.PodsInstallation):
    """One control plane of upstream's chart."""

    uses: tuple[ImageUse, ...] = ()

    @property
    def run(self) -> Run:
        return self.karmada.run

    @cached_property
    def helm(self) -> Helm:
        return Helm(self.software[HELM], self.karmada.machine, self.run.folder("data", "helm"))

    @cached_property
    def server(self) -> str:
        """Where karmada-apiserver is reached directly, from everywhere. Not before the host cluster is there."""
        return f"https://{host.node_address(self.host)}:{host.NODE_PORT}"

    @cached_property
    def api(self) -> Api:
        """karmada-apiserver as an administrator beside it sees it. Not before `identity`."""
        return Api.open(self.run.path / "pki" / NAME / "admin.kubeconfig")

    def chart(self) -> Path:
        """Return the release's chart with all it depends on."""
        return charts.complete(self.tree("karmada-charts") / RELEASE, self.helm, self.run, offline=self.karmada.supply.offline)

    def steps(self) -> list[Step]:
        """Return all steps; those of the chart's own jobs end when what the jobs make is there."""
        here = self.karmada.lab.host.name
        made = [
            step("chart", self.chart),
            Step(f"{NAME}/release", self.release, (f"{NAME}/chart", here, f"{here}/images")),
            step("identity", self.identity, "release"),
            step("etcd", self.etcd, "release"),
            step("karmada-apiserver", self.answers, "identity", "etcd"),
            step("crds", self.crds, "karmada-apiserver"),
            step("webhooks", lambda: self.serving("karmada-webhook"), "karmada-apiserver"),
            step("cluster-api", self.cluster_api, "karmada-apiserver"),
            step("pods", self.pods, "crds", "webhooks", "cluster-api"),
        ]
        if self.spec.addons.estimators:
            members = tuple(member.name for member in self.spec.members)
            made.append(Step(f"{NAME}/estimators", self.estimators, (f"{NAME}/karmada-apiserver", *members)))
        return [
            *made,
            Step(JOINABLE, do_nothing, (f"{NAME}/crds", f"{NAME}/webhooks", f"{NAME}/cluster-api")),
        ]

    # -- the control plane --------------------------------------------------------------------------------------------

    def values(self) -> Json:
        """Return all values of host mode, the user's own on top."""
        system = chart_values.host_values(self.spec, self.uses, node_port=host.NODE_PORT, system=NAMESPACE)
        known = chart_values.default_values(self.chart())
        outside = [host.node_address(self.host), *self.spec.certificates.hosts]
        values = chart_values.merge(system, certificates.values(self.spec, known, outside, self.run.folder("pki", NAME)))
        if strange := chart_values.unknown_keys(values, known):
            raise ProvisionError(
                "the chart of this release has no such values: it is another than this deployer knows",
                where=str(self.chart()),
                detail="\n".join(strange),
                remedy=f"take a release that is pinned: {command('assets', 'list')}",
            )
        return chart_values.merge(values, chart_values.read_values(file)) if (file := self.spec.by_chart.values) else values

    def release(self) -> None:
        """Install the control plane; leave a release with the same chart and values alone."""
        installation.begin(self.karmada)
        self.namespace()
        make_own_certificates(self.karmada)  # the chart's values hold them
        self.settle(RELEASE, self.values(), self.karmada.lab.host)

    def namespace(self) -> None:
        """Make the namespace, and in it what the chart expects of an etcd that it does not bring."""
        objects.ensure_namespace(self.host, manifests.NAMESPACE)
        if runs_own_etcd(self.spec):
            apply_own_etcd(self.karmada, next(use.name for use in self.uses if use.component == "etcd"))
        elif external := self.spec.etcd.external:
            objects.apply_all(self.host, etcd_service(external.servers[0]))

    def etcd(self) -> None:
        """Return when the lab's own etcd serves, where there is one; the chart waits for its own."""
        wait_own_etcd(self.karmada)

    def settle(self, name: str, values: Json, cluster: Cluster) -> None:
        """Install a helm release with these values; leave it alone if this run has installed it so.

        One that is there and did not get that far is uninstalled first: helm would upgrade it, and upgrading makes no certificates.
        """
        chart = self.chart()
        mark = hashlib.sha256(f"{charts.fingerprint(chart)}\n{json.dumps(values, sort_keys=True)}".encode()).hexdigest()
        record = f"release-{cluster.name}-{name}"
        there = self.helm.releases(NAMESPACE, cluster.kubeconfig).get(name)
        if there and there["status"] == SETTLED and (self.run.recorded(NAME, record) or {}).get("mark") == mark:
            return
        if there and there["status"] != SETTLED:
            self.uninstall(name, cluster, hooks=False)
            if name == RELEASE:
                self.clear()
                self.namespace()
        file = self.run.folder("data", NAME) / f"{record}.yaml"
        write_private(file, dump_yaml(values).encode())
        args = ("upgrade", "--install", name, str(chart), "--namespace", NAMESPACE, "--values", str(file))
        try:
            self.helm(*args, "--timeout", f"{WITHIN:g}s", kubeconfig=cluster.kubeconfig, within=WITHIN + 30)
        except CommandFailed as failed:
            raise ProvisionError(
                f"helm could not install {name}: {last(failed.output)}",
                where=f"{cluster.name}: {failed.command}",
                detail="\n".join(why(cluster.api, NAMESPACE)) or failed.output[-4000:],
                remedy=f"kubectl --context {cluster.context} -n {NAMESPACE} get pods,jobs,events",
            ) from failed
        self.run.record(NAME, record, {"mark": mark})

    def identity(self) -> None:
        """Take over the administrator's kubeconfig that the chart made: directly, and through the load balancer where there is one."""
        text = host.secret(self.host, NAMESPACE, "karmada-kubeconfig", "kubeconfig")
        balancer = self.spec.load_balancer
        source = f"secret {NAMESPACE}/karmada-kubeconfig of the host cluster"
        direct = self.run.folder("pki", NAME) / "admin.kubeconfig"
        host.adopt_kubeconfig(text, direct, server=self.server, source=source)
        host.adopt_kubeconfig(text, self.karmada.kubeconfig, server=f"https://{balancer}" if balancer else self.server, source=source)

    def answers(self) -> None:
        """Return when karmada-apiserver serves at the port of the node."""

        def ready() -> None:
            if not self.api.answers():
                raise NotYet(f"{self.server}/readyz does not return ok")

        try:
            until(ready, what="karmada-apiserver serves", within=WITHIN)
        except NotReady as late:
            late.detail = "\n".join(why(self.host)) or None
            raise

    def crds(self) -> None:
        """Return when the chart's job has applied CRDs, webhooks and APIServices to karmada-apiserver; it then writes a ConfigMap."""
        self.api.until(
            f"/api/v1/namespaces/{NAMESPACE}/configmaps/karmada-version",
            lambda item: None if item.get("data", {}).get("karmadaVersion") == self.tag else f"it says {item.get('data')}",
            what="the chart's job karmada-static-resource is done",
            within=WITHIN,
            remedy=f"kubectl --context karmada-host -n {NAMESPACE} logs job/karmada-static-resource",
        )
        wanted = manifests.custom_resources(self.tree("karmada-crds"), manifests.Addresses(b"", "", "", {}))
        objects.wait_established(self.api, [each["metadata"]["name"] for each in wanted])

    @property
    def tag(self) -> str:
        """The image tag in the chart's values."""
        return next(use.tag for use in self.uses if use.component == "karmada-webhook")

    def serving(self, *names: str) -> None:
        wait_serving(self.host, names, only=True, within=WITHIN)

    def cluster_api(self) -> None:
        self.serving("karmada-aggregated-apiserver")
        objects.wait_available(self.api, ["v1alpha1.cluster.karmada.io"])
        objects.wait_answers(self.api, "/apis/cluster.karmada.io/v1alpha1/clusters")

    def pods(self) -> None:
        """Return when all pods are ready, the addons' APIs answer, and each controller holds its lease."""
        wait_serving(self.host, within=WITHIN)
        apis = [api for api in self.api.items(objects.SERVICES) if api["spec"].get("service")]
        objects.wait_available(self.api, [api["metadata"]["name"] for api in apis])
        for name in (name for name in LEASES if self.spec.has(name)):
            until(partial(held_lease, self.api, LEASES[name], name), what=f"{name} holds its lease", within=60.0)

    def upgrade(self) -> None:
        """Upgrade the control plane to this release by helm, and return when all of it serves.

        The chart's own jobs do the rest: before, what its hooks hold is rewritten; then CRDs, webhooks and APIs are applied.
        """
        self.release()
        wait_rollout(self.karmada, within=2 * WITHIN)  # all of it at once: etcd and the API server are away meanwhile
        self.answers()
        self.crds()
        self.cluster_api()
        self.pods()

    # -- beside it ----------------------------------------------------------------------------------------------------

    def estimators(self) -> None:
        """Install the estimators of all members, in component mode."""
        there = self.host.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{RELEASE}-cert")
        copy = {"name": f"{ESTIMATORS}-cert", "namespace": NAMESPACE}
        self.host.apply({"apiVersion": "v1", "kind": "Secret", "metadata": copy, "type": there["type"], "data": there["data"]})
        members = {member.name: access(member.kubeconfig) for member in self.karmada.members}
        self.settle(ESTIMATORS, chart_values.estimator_values(self.spec, self.uses, members), self.karmada.lab.host)
        self.serving(*(f"karmada-scheduler-estimator-{name}" for name in members))

    def register_agent(self, member: Cluster) -> None:
        """Install the agent on a member; return when Karmada calls the member Ready. UsageError as in `deployers.members.join`."""
        claim(self.karmada, member, "pull")
        MemberRecord("pull", "registering").write(self.run, member.name)
        self.agent(member)
        MemberRecord("pull", "joined").write(self.run, member.name)

    def agent(self, member: Cluster) -> None:
        """Make the agent's release be on a member; return when Karmada calls the member Ready."""
        objects.ensure_namespace(member.api, manifests.NAMESPACE)
        use = next(use for use in self.uses if use.component == "karmada-agent")
        endpoint = access(member.kubeconfig)["server"]
        values = chart_values.agent_values(self.spec, use, name=member.name, endpoint=endpoint, karmada=access(self.karmada.kubeconfig))
        self.settle(AGENT, values, member)
        wait_serving(member.api, [AGENT], only=True, within=WITHIN)
        wait_member_ready(self.karmada, member.name)

    # -- and gone -----------------------------------------------------------------------------------------------------

    def uninstall(self, name: str, cluster: Cluster, *, hooks: bool = True) -> None:
        """Uninstall a helm release if it is there."""
        if name in self.helm.releases(NAMESPACE, cluster.kubeconfig):
            more = () if hooks else ("--no-hooks",)
            self.helm("uninstall", name, "--namespace", NAMESPACE, "--timeout", "120s", *more, kubeconfig=cluster.kubeconfig, within=150.0)
        self.run.forget(NAME, f"release-{cluster.name}-{name}")

    def remove(self) -> None:
        """Uninstall as upstream documents, record the leftovers, and delete them."""
        here = self.karmada.lab.host
        self.uninstall(ESTIMATORS, here)
        try:
            self.uninstall(RELEASE, here)
        except CommandFailed as failed:  # its own job deletes the namespace that it runs in
            self.run.journal("uninstall", error=last(failed.output))
        self.run.journal("left", by="upstream's chart", what=self.left())
        self.clear()

    def left(self) -> list[str]:
        """Return the existing parts of an installation: paths of objects, and etcd's data directory."""
        there = [path for path in (*LEFT, f"/api/v1/namespaces/{NAMESPACE}") if self.host.find(path)]
        maps = self.host.items(f"/api/v1/namespaces/{NAMESPACE}/configmaps")
        there += [f"configmap {each['metadata']['name']}" for each in maps if each["metadata"]["name"] != "kube-root-ca.crt"]
        return [*there, *(f"{DATA} on {node}" for node in host.with_data(self.karmada.lab, DATA))]

    def clear(self) -> None:
        """Delete what an installation leaves or has half made. Twice is fine."""
        for path in LEFT:
            self.host.delete(path)
        host.remove_namespace(self.host)
        if self.spec.etcd.external is None:
            host.remove_data(self.karmada.lab, DATA)


def access(kubeconfig: Path) -> dict[str, str]:
    """Return a kubeconfig's server and certificates in the form of the chart's values."""
    given = read_pems(kubeconfig)
    return {"server": given.server, "caCrt": given.ca, "crt": given.cert, "key": given.key}


def etcd_service(server: str) -> Sequence[Json]:
    """Return the Service by which the chart's pods wait for an etcd that is elsewhere, and the address behind it."""
    address = urlsplit(server)
    port = address.port or 2379
    place = {"name": "etcd-client", "namespace": NAMESPACE}
    return (
        {"apiVersion": "v1", "kind": "Service", "metadata": place, "spec": {"ports": [{"name": "client", "port": port}]}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**place, "labels": {"kubernetes.io/service-name": "etcd-client"}},
            "addressType": "IPv6" if ":" in str(address.hostname) else "IPv4",
            "endpoints": [{"addresses": [address.hostname]}],
            "ports": [{"name": "client", "port": port, "protocol": "TCP"}],
        },
    )


def last(output: str) -> str:
    """Return the last line of what a command printed."""
    return (output.strip().splitlines() or ["it printed nothing"])[-1]
