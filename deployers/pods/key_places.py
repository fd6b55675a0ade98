"""The places that hold certificates and keys of a control plane in pods: Secrets on the host cluster and on members that pull, files here.

What is in them is distinguished by content, so that the four installers need no list of their Secrets' names.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from deployers.karmada import Karmada
from deployers.names import NAMESPACE
from deployers.plane.objects import CRDS, SERVICES
from deployers.pods.held_keys import Exchange
from lab.api import Api
from lab.cluster import Cluster
from lab.run import write_private

Json = dict[str, Any]
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
HOOKS = "/apis/admissionregistration.k8s.io/v1"
CLUSTER_INFO = "/api/v1/namespaces/kube-public/configmaps"
TRUSTING = (f"{HOOKS}/mutatingwebhookconfigurations", f"{HOOKS}/validatingwebhookconfigurations", CRDS, SERVICES, CLUSTER_INFO)
"""Lists of objects on karmada-apiserver that name the authority of a server to call, or of Karmada itself."""


class KeyPlace(Protocol):
    """**Protocol:** something that holds texts by name. `write` replaces some of them and keeps the others. `name` is shown to users."""

    @property
    def name(self) -> str: ...

    def read(self) -> dict[str, bytes]: ...

    def write(self, values: dict[str, bytes]) -> None: ...


@dataclass(frozen=True)
class SecretPlace:
    """A Secret of Karmada's namespace, on the host cluster or on a member."""

    api: Api
    secret: str
    cluster: str = ""

    @property
    def name(self) -> str:
        return f"{self.cluster}/{self.secret}" if self.cluster else self.secret

    def read(self) -> dict[str, bytes]:
        data = (self.api.find(f"{SECRETS}/{self.secret}") or {}).get("data") or {}
        return {key: b64decode(value) for key, value in data.items()}

    def write(self, values: dict[str, bytes]) -> None:
        self.api.patch(f"{SECRETS}/{self.secret}", {"data": {key: b64encode(value).decode() for key, value in values.items()}})


@dataclass(frozen=True)
class FilePlace:
    """Files of the run directory, by their names in a folder; those of folders inside it are places of their own."""

    folder: Path
    name: str
    pattern: str = "*"

    def read(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in sorted(self.folder.glob(self.pattern)) if file.is_file()}

    def write(self, values: dict[str, bytes]) -> None:
        for name, value in values.items():
            path = self.folder / name
            write_private(path, value, mode=path.stat().st_mode & 0o777)


def host_places(karmada: Karmada) -> list[KeyPlace]:
    """Return the Secrets of the control plane on its host cluster."""
    return secrets_of(karmada.lab.host.api)


def member_places(member: Cluster) -> list[KeyPlace]:
    """Return the Secrets of Karmada's agent on a member that pulls."""
    return secrets_of(member.api, member.name)


def file_places(karmada: Karmada) -> list[KeyPlace]:
    """Return the folders of the run with keys of the control plane, and the administrator's kubeconfig."""
    pki, init = karmada.run.path / "pki" / karmada.name, karmada.run.path / "data" / karmada.name / "init"
    folders = [folder for top in (pki, init) if top.is_dir() for folder in (top, *sorted(each for each in top.rglob("*") if each.is_dir()))]
    run = karmada.run.path
    found = [FilePlace(folder, str(folder.relative_to(run))) for folder in folders]
    return [*found, FilePlace(karmada.kubeconfig.parent, karmada.kubeconfig.parent.name, karmada.kubeconfig.name)]


def pulling_members(karmada: Karmada) -> list[Cluster]:
    """Return the members that pull: their agents hold credentials of Karmada."""
    return [karmada.lab.member(each.name) for each in karmada.spec.members if each.mode == "pull"]


def all_places(karmada: Karmada) -> list[KeyPlace]:
    """Return every place."""
    members = [place for member in pulling_members(karmada) for place in member_places(member)]
    return [*host_places(karmada), *members, *file_places(karmada)]


def secrets_of(api: Api, cluster: str = "") -> list[KeyPlace]:
    """Return the Secrets of Karmada's namespace that hold keys, those of helm's releases left out: they are helm's own history."""
    found = api.items(SECRETS)
    return [SecretPlace(api, str(each["metadata"]["name"]), cluster) for each in found if not str(each.get("type", "")).startswith("helm.")]


def exchange_in_objects(api: Api, exchange: Exchange) -> list[str]:
    """Exchange what objects on karmada-apiserver trust; return the paths of those that changed."""
    changed = []
    for path, item in trusting_objects(api):
        after = exchange.document(item)
        if after != item:
            api.request("PUT", path, body=after)
            changed.append(path)
    return changed


def trusting_objects(api: Api) -> Iterator[tuple[str, Json]]:
    """Yield the objects of karmada-apiserver that may name an authority, by path."""
    for path in TRUSTING:
        for item in api.items(path):
            yield f"{path}/{item['metadata']['name']}", item
