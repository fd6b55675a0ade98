"""Karmada's own etcd as a pod of the host cluster: queried by the etcdctl in the pod, with the certificates mounted there.

The pod itself names what a client needs: its flags the files, its volumes the Secrets that hold them. So it is
the same for every installer. Upstream's etcd has one member; the lab's own (`deployers.pods.etcd`) one or three.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from cryptography import x509

from deployers.deployer import runs_in_pods
from deployers.etcd.client import BaseEtcdClient, EtcdClient, Json
from deployers.etcd.expiry import certificate_expiries
from deployers.etcd.health import quorum
from deployers.etcd.pod_faults import explain_loss, explain_member
from deployers.etcd.tools import last_line
from deployers.karmada import Karmada
from deployers.names import NAMESPACE
from deployers.plane.flags import join_values
from deployers.pods import workloads
from deployers.pods.etcd.certificates import pki_folder
from deployers.pods.etcd.names import client_address, member_names, runs_own_etcd
from deployers.pods.keys import read_mounted
from deployers.pods.kubectl import kubectl_args
from lab.api import Api
from lab.component import parse_flags
from lab.errors import CommandFailed, ProvisionError
from lab.hints import command
from lab.machines.machine import Machine

LOOPBACK = "127.0.0.1"
KUBECTL_ENDS = "command terminated with exit code"
"""How the last line begins that kubectl adds to what a failed command printed."""


@dataclass(frozen=True)
class PodEtcdClient(BaseEtcdClient):
    """The etcd of one control plane in pods. `kubectl` runs commands in the running `pods`; `flags` are those of its program."""

    machine: Machine
    kubectl: tuple[str, ...]
    container: str
    pods: tuple[str, ...]
    flags: Mapping[str, str]
    ends: Mapping[str, dt.datetime]
    endpoints: Mapping[str, str]
    run_id: str | None = None
    host: Api | None = None
    """The host cluster's, which knows why a member does not answer."""

    @classmethod
    def of(cls, karmada: Karmada) -> PodEtcdClient:
        """Return the etcd of a control plane in pods. ProvisionError when no pod of it runs."""
        host = karmada.lab.host
        workload, found = find_pods(host.api)
        container = found[0]["spec"]["containers"][0]
        flags = {
            name: join_values(value) for name, value in parse_flags([*container.get("command", []), *container.get("args", [])]).items()
        }
        pods = tuple(pod["metadata"]["name"] for pod in found)
        if runs_own_etcd(karmada.spec):
            ends = certificate_expiries(pki_folder(karmada.run, karmada.name))
            endpoints = {name: client_address(name) for name in member_names(workload.replicas)}
        else:
            certificate = read_mounted(host.api, found[0], flags["cert-file"])
            ends = {"etcd-server": x509.load_pem_x509_certificate(certificate).not_valid_after_utc}
            endpoints = {"etcd": loopback_address(flags.get("listen-client-urls", ""))}
        return cls(karmada.machine, kubectl_args(karmada), container["name"], pods, flags, ends, endpoints, karmada.run.id, host.api)

    @property
    def lab(self) -> str | None:
        """The lab that it belongs to."""
        return self.run_id

    @cached_property
    def access(self) -> tuple[str, ...]:
        """The arguments with etcdctl's certificate: the server's own, which every installer issues for client authentication too."""
        return (f"--cacert={self.flags['trusted-ca-file']}", f"--cert={self.flags['cert-file']}", f"--key={self.flags['key-file']}")

    def ctl(self, *args: str, at: str | None = None, within: float = 30.0) -> str:
        """Return what etcdctl prints, in the pod of the member at `at`, else in the first. CommandFailed when etcd refuses or is away."""
        names = {address: name for name, address in self.endpoints.items()}
        chosen = at if at in names else None
        endpoint = chosen or ",".join(self.endpoints.values())
        access = self.access if endpoint.startswith("https:") else ()
        pod = names[chosen] if chosen and names[chosen] in self.pods else self.pods[0]
        into = (*self.kubectl, "exec", pod, "--container", self.container, "--")
        argv = (*into, "etcdctl", *args, f"--endpoints={endpoint}", *access, "--command-timeout=10s", "--dial-timeout=2s")
        return self.machine.run(argv, within=within).stdout

    def members(self) -> list[Json]:
        """Return the members in etcd's own list. ProvisionError without a quorum says of each pod why, and what is possible."""
        try:
            return super().members()
        except ProvisionError as error:
            names = list(self.endpoints if len(self.endpoints) > 1 else self.pods)
            lost = explain_loss(self.host, names) if self.host else []
            error.detail = "\n".join([*lost, error.detail or ""]).strip()
            error.remedy = (
                f"{quorum(len(self.endpoints))} of {len(self.endpoints)} members must serve: put right the named nodes and disks; "
                f"when so many volumes are lost for good: {command('restore', 'ARCHIVE', lab=self.lab)}"
            )
            raise

    def status(self, name: str) -> Json | str:
        """Return one member's own status; an only member has shown by the list of members that it answers."""
        if len(self.endpoints) > 1 and name not in self.endpoints:
            return "it was never started"
        try:
            found: Json = self.ask("endpoint", "status", at=self.endpoints.get(name))[0]
        except CommandFailed as failed:
            output = last_line("\n".join(line for line in failed.output.splitlines() if not line.startswith(KUBECTL_ENDS)))
            return (explain_member(self.host, name) if self.host and name in self.endpoints else "") or output
        return found

    def expiries(self) -> Mapping[str, dt.datetime]:
        """Return when etcd's own certificates end."""
        return self.ends


def etcd_of(karmada: Karmada) -> BaseEtcdClient:
    """Return the etcd of a control plane, wherever it runs. UsageError when it is external; ProvisionError when its pod does not run."""
    return PodEtcdClient.of(karmada) if runs_in_pods(karmada) and not karmada.spec.etcd.external else EtcdClient.of(karmada)


def find_pods(host: Api) -> tuple[workloads.HostWorkload, list[Json]]:
    """Return the workload of Karmada's etcd and its running pods, ready ones first. ProvisionError when there is none."""
    for each in workloads.workloads(host):
        if each.component == "etcd":
            running = [pod for pod in workloads.pods(host, selector=each.selector) if runs(pod)]
            if running:
                return each, sorted(running, key=lambda pod: (workloads.states(pod)[0].get("ready") is not True, pod["metadata"]["name"]))
    raise ProvisionError(
        "no pod of Karmada's etcd runs",
        where=f"{host.server}, namespace {NAMESPACE}",
        detail="\n".join(workloads.why(host)) or None,
        remedy=f"kubectl --context karmada-host -n {NAMESPACE} get pods,events",
    )


def runs(pod: Json) -> bool:
    """Return whether the first container of a pod runs."""
    states = workloads.states(pod)
    return (pod.get("status") or {}).get("phase") == "Running" and bool(states) and "running" in (states[0].get("state") or {})


def loopback_address(listens: str) -> str:
    """Return the address on the loopback interface among those at which an etcd listens; karmadactl init's is without TLS there."""
    for each in listens.split(","):
        url = urlsplit(each)
        if url.hostname in {LOOPBACK, "localhost", "0.0.0.0"}:  # noqa: S104 (a listen address, read from flags)
            return f"{url.scheme}://{LOOPBACK}:{url.port or 2379}"
    return f"https://{LOOPBACK}:2379"
