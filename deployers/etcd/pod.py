"""Karmada's own etcd as a pod of the host cluster: queried by the etcdctl in the pod, with the certificates mounted there.

The pod itself names what a client needs: its flags the files, its volumes the Secrets that hold them. So it is
the same for every installer. Every path in pods has one member; `membership` changes members of programs only.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from cryptography import x509

from deployers.deployer import runs_in_pods
from deployers.etcd.client import BaseEtcdClient, EtcdClient, Json
from deployers.karmada import Karmada
from deployers.names import NAMESPACE
from deployers.plane.flags import join_values
from deployers.pods import workloads
from lab.api import Api
from lab.assets import AssetRef
from lab.component import parse_flags
from lab.errors import ProvisionError
from lab.machines.machine import Machine

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class PodEtcdClient(BaseEtcdClient):
    """The etcd of one control plane in pods. `command` runs another in its pod; `flags` are those of its program."""

    machine: Machine
    command: tuple[str, ...]
    flags: Mapping[str, str]
    certificate: bytes
    endpoints: Mapping[str, str]

    @classmethod
    def of(cls, karmada: Karmada) -> PodEtcdClient:
        """Return the etcd of a control plane in pods. ProvisionError when its pod does not run."""
        host = karmada.lab.host
        pod = find_pod(host.api)
        container = pod["spec"]["containers"][0]
        flags = {
            name: join_values(value) for name, value in parse_flags([*container.get("command", []), *container.get("args", [])]).items()
        }
        ref = AssetRef("kubectl", karmada.lab.spec.kubernetes)
        kubectl = karmada.supply.resolve([ref])[ref]
        args = ("--kubeconfig", str(host.kubeconfig), "--context", host.context, "--namespace", NAMESPACE)
        command = (str(kubectl), *args, "exec", pod["metadata"]["name"], "--container", container["name"], "--")
        endpoints = {"etcd": loopback_address(flags.get("listen-client-urls", ""))}
        return cls(karmada.machine, command, flags, read_mounted(host.api, pod, flags["cert-file"]), endpoints)

    @cached_property
    def access(self) -> tuple[str, ...]:
        """The arguments with etcdctl's certificate: the server's own, which every installer issues for client authentication too."""
        return (f"--cacert={self.flags['trusted-ca-file']}", f"--cert={self.flags['cert-file']}", f"--key={self.flags['key-file']}")

    def ctl(self, *args: str, at: str | None = None, within: float = 30.0) -> str:  # noqa: ARG002 (there is one member)
        """Return what etcdctl prints. CommandFailed when etcd refuses or does not answer."""
        (endpoint,) = self.endpoints.values()
        access = self.access if endpoint.startswith("https:") else ()
        argv = (*self.command, "etcdctl", *args, f"--endpoints={endpoint}", *access, "--command-timeout=10s", "--dial-timeout=2s")
        return self.machine.run(argv, within=within).stdout

    def status(self, name: str) -> Json | str:  # noqa: ARG002
        """Return the only member's own status; the list of members has shown that it answers."""
        found: Json = self.ask("endpoint", "status")[0]
        return found

    def expiries(self) -> Mapping[str, dt.datetime]:
        """Return when etcd's own certificate ends."""
        return {"etcd-server": x509.load_pem_x509_certificate(self.certificate).not_valid_after_utc}


def etcd_of(karmada: Karmada) -> BaseEtcdClient:
    """Return the etcd of a control plane, wherever it runs. UsageError when it is external; ProvisionError when its pod does not run."""
    return PodEtcdClient.of(karmada) if runs_in_pods(karmada) and not karmada.spec.etcd.external else EtcdClient.of(karmada)


def find_pod(host: Api) -> Json:
    """Return the running pod of Karmada's etcd. ProvisionError when there is none."""
    for each in workloads.workloads(host):
        if each.component == "etcd":
            for pod in workloads.pods(host, selector=each.selector):
                if (pod.get("status") or {}).get("phase") == "Running":
                    return pod
    raise ProvisionError(
        "no pod of Karmada's etcd runs",
        where=f"{host.server}, namespace {NAMESPACE}",
        detail="\n".join(workloads.why(host)) or None,
        remedy=f"kubectl --context karmada-host -n {NAMESPACE} get pods,events",
    )


def loopback_address(listens: str) -> str:
    """Return the address on the loopback interface among those at which an etcd listens; karmadactl init's is without TLS there."""
    for each in listens.split(","):
        url = urlsplit(each)
        if url.hostname in {LOOPBACK, "localhost", "0.0.0.0"}:  # noqa: S104 (a listen address, read from flags)
            return f"{url.scheme}://{LOOPBACK}:{url.port or 2379}"
    return f"https://{LOOPBACK}:2379"


def read_mounted(host: Api, pod: Json, path: str) -> bytes:
    """Return a file that a pod mounts from a Secret. ProvisionError when no Secret is mounted there."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    for mount in pod["spec"]["containers"][0].get("volumeMounts", []):
        secret = volumes.get(mount["name"], {}).get("secret")
        if secret is None or not PurePosixPath(path).is_relative_to(mount["mountPath"]):
            continue
        inside = str(PurePosixPath(path).relative_to(mount["mountPath"]))
        key = next((item["key"] for item in secret.get("items", []) if item["path"] == inside), inside)
        data = host.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/secrets/{secret['secretName']}").get("data") or {}
        if key in data:
            return b64decode(data[key])
    raise ProvisionError(f"{path} of etcd's pod is of no Secret", where=f"pod {pod['metadata']['name']}")
