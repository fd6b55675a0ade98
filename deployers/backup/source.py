"""Where a backup reads a control plane from: its etcd and its keys, of programs or of pods. Nothing is changed by reading."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from deployers.backup.archive import KEYS
from deployers.etcd.client import EtcdClient
from deployers.etcd.health import EtcdHealth, EtcdMember
from deployers.etcd.members import has_pods
from deployers.etcd.pod import PodEtcdClient, find_pods
from deployers.etcd.tools import TOOLS, Etcdutl
from deployers.karmada import Karmada
from deployers.names import LOOPBACK, NAMESPACE
from deployers.pods.etcd.certificates import pki_folder
from deployers.pods.etcd.names import runs_own_etcd
from deployers.pods.keys import key_of, read_mounted, read_plane_keys, secret_values
from lab.errors import ProvisionError
from lab.port_forward import forward_port
from lab.run import write_private


class BackupSource(Protocol):
    """**Protocol:** what a backup reads. `keys` are files by name (`archive.KEYS`); ProvisionError names one that is missing."""

    @property
    def utl(self) -> Etcdutl: ...

    def health(self) -> EtcdHealth: ...

    def keys(self) -> Mapping[str, bytes]: ...

    def save_snapshot(self, member: EtcdMember, to: Path) -> None: ...


@dataclass(frozen=True)
class ProgramSource:
    """A control plane of programs: its keys are in the run directory."""

    etcd: EtcdClient

    @property
    def utl(self) -> Etcdutl:
        return self.etcd.utl

    def health(self) -> EtcdHealth:
        return self.etcd.health()

    def keys(self) -> Mapping[str, bytes]:
        files = {name: self.etcd.pki / name for name in KEYS}
        if missing := [str(file) for file in files.values() if not file.is_file()]:
            raise missing_key(", ".join(missing))
        return {name: file.read_bytes() for name, file in files.items()}

    def save_snapshot(self, member: EtcdMember, to: Path) -> None:
        self.etcd.ctl("snapshot", "save", str(to), at=member.client, within=600.0)


@dataclass(frozen=True)
class PodSource:
    """A control plane in pods: its keys are in Secrets of the host cluster, and its etcd is reached through the cluster's API server."""

    karmada: Karmada
    etcdctl: Path
    utl: Etcdutl

    @classmethod
    def of(cls, karmada: Karmada) -> PodSource:
        """Return the source; etcd's tools are brought now if they are not here."""
        tools = {ref.name: path for ref, path in karmada.supply.resolve(TOOLS).items()}
        return cls(karmada, tools["etcdctl"], Etcdutl(karmada.machine, tools["etcdutl"]))

    def health(self) -> EtcdHealth:
        return PodEtcdClient.of(self.karmada).health()

    def keys(self) -> Mapping[str, bytes]:
        host = self.karmada.lab.host.api
        folder = pki_folder(self.karmada.run, self.karmada.name) if runs_own_etcd(self.karmada.spec) else self.pki
        client, (pod, *_) = PodEtcdClient.of(self.karmada), find_pods(host)[1]
        authority = read_mounted(host, pod, client.flags["trusted-ca-file"])
        kept = [file.read_bytes() for file in sorted(folder.glob("*.key"))]
        key = key_of(authority, [*kept, *secret_values(host)])
        if key is None:
            raise missing_key("the key of etcd's authority is neither in the run directory nor in a Secret")
        return {**read_plane_keys(host), "etcd-ca.crt": authority, "etcd-ca.key": key}

    @property
    def pki(self) -> Path:
        """The run's keys of this control plane."""
        return self.karmada.run.path / "pki" / self.karmada.name

    def save_snapshot(self, member: EtcdMember, to: Path) -> None:
        client = PodEtcdClient.of(self.karmada)
        pod = member.name if member.name in client.pods else client.pods[0]
        address = urlsplit(client.endpoints.get(member.name) or next(iter(client.endpoints.values())))
        with (
            tempfile.TemporaryDirectory(prefix="etcd-client-", dir=to.parent) as folder,
            forward_port(self.karmada.lab.host, NAMESPACE, pod, address.port or 2379) as port,
        ):
            access = self.access(client, Path(folder)) if address.scheme == "https" else ()
            endpoint = f"--endpoints={address.scheme}://{LOOPBACK}:{port}"
            argv = (str(self.etcdctl), "snapshot", "save", str(to), endpoint, *access, "--dial-timeout=10s", "--command-timeout=600s")
            self.karmada.machine.run(argv, within=620.0)

    def access(self, client: PodEtcdClient, folder: Path) -> tuple[str, ...]:
        """Write the files by which etcd's pod itself is a client into a folder, and return etcdctl's arguments with them."""
        host = self.karmada.lab.host.api
        pod = find_pods(host)[1][0]
        given = {"cacert": "trusted-ca-file", "cert": "cert-file", "key": "key-file"}
        for option, flag in given.items():
            write_private(folder / option, read_mounted(host, pod, client.flags[flag]))
        return tuple(f"--{option}={folder / option}" for option in given)


def missing_key(where: str) -> ProvisionError:
    """Return the error of a control plane that is not whole."""
    return ProvisionError("backup failed: a key of this control plane is missing", where=where, remedy="put it back")


def source_of(karmada: Karmada) -> BackupSource:
    """Return where a control plane is read from. UsageError when its etcd is external; ProvisionError when no pod of it runs."""
    return PodSource.of(karmada) if has_pods(karmada) else ProgramSource(EtcdClient.of(karmada))
