"""Handles: a Kubernetes cluster that answers, and a lab, which is a host cluster and its members.

A handle is made from a run directory alone and holds no state of its own; two processes may hold handles of one lab.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.api import Api
from lab.errors import UsageError
from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.run import Run
from lab.spec import LabSpec
from lab.write_kubeconfig import merge_files

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

HOST_CONTEXT = "karmada-host"
"""The context of the host cluster in every kubeconfig; upstream's tests expect this name."""
UNUSED_PROXY = "http://127.0.0.1:9"
"""The proxy of a client that reaches every host directly: the discard port, so that a use of it fails."""


@dataclass(frozen=True)
class Cluster:
    """One Kubernetes API, reached by a kubeconfig of the run."""

    name: str
    context: str
    kubeconfig: Path

    @cached_property
    def api(self) -> Api:
        """The API as provisioning uses it."""
        return Api.open(self.kubeconfig)

    def client(self) -> ApiClient:
        """Return a client of the `kubernetes` package for this cluster; it reads no other kubeconfig and no environment."""
        # Half a second of import that `lab status` need not pay.
        from kubernetes.client import ApiClient, Configuration  # noqa: PLC0415 (0.6 s of CPU; only tests use this client)
        from kubernetes.config import load_kube_config  # noqa: PLC0415 (as above)

        configuration: Any = Configuration()
        configuration.proxy = None  # the default is HTTPS_PROXY's; a kubeconfig's `proxy-url` is set below
        load_kube_config(config_file=str(self.kubeconfig), context=self.context, client_configuration=configuration)
        if configuration.proxy:
            configuration.no_proxy = ""
        else:
            # Web sockets (exec, port-forward) read those variables themselves, and heed `no_proxy` only beside a proxy: kubernetes 37,
            # stream/ws_client.py create_websocket; websocket-client 1.9, _http.py proxy_info. Nothing connects to this one.
            configuration.proxy, configuration.no_proxy = UNUSED_PROXY, "*"
        return ApiClient(configuration=configuration)


@dataclass(frozen=True)
class Lab:
    """A host cluster and its members, as the run directory describes them."""

    run: Run
    spec: LabSpec

    @classmethod
    def open(cls, run: Run) -> Lab:
        """Return the lab of a run directory. Its clusters need not be up."""
        return cls(run, LabSpec.model_validate(run.asked["lab"]))

    @cached_property
    def host(self) -> Cluster:
        return Cluster(self.spec.host.name, HOST_CONTEXT, self.run.kubeconfig(self.spec.host.name))

    @cached_property
    def members(self) -> tuple[Cluster, ...]:
        return tuple(Cluster(member.name, member.name, self.run.kubeconfig(member.name)) for member in self.spec.members)

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        return (self.host, *self.members) if self.spec.has_host else self.members

    @property
    def made(self) -> tuple[Cluster, ...]:
        """The clusters that the provider makes, in the order of the spec's `made`."""
        return tuple(self.cluster(spec.name) for spec in self.spec.made)

    @cached_property
    def machine(self) -> Machine:
        """The machine on which programs of a control plane are started (providers that offer MACHINES)."""
        return Local(self.run.path)

    def member(self, name: str) -> Cluster:
        """Return a member by name. UsageError lists the names there are."""
        return find_cluster(self.members, name)

    def cluster(self, name: str) -> Cluster:
        """Return the host or a member by name or context."""
        return find_cluster(self.clusters, name)


def find_cluster(clusters: Sequence[Cluster], name: str) -> Cluster:
    """Return the cluster of that name or context. UsageError lists what there is."""
    for cluster in clusters:
        if name in {cluster.name, cluster.context}:
            return cluster
    raise UsageError(f"this lab has no cluster {name!r}", remedy=f"one of: {', '.join(cluster.name for cluster in clusters)}")


def merge_kubeconfigs(run: Run, clusters: Sequence[Cluster]) -> Path:
    """Write `kubeconfig.yaml` of the run (0600) with a context for each cluster that has a kubeconfig; return its path."""
    path = run.path / "kubeconfig.yaml"
    merge_files(path, (cluster.kubeconfig for cluster in clusters))  # the last one is what is on top of the lab
    return path
