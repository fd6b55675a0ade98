"""A Karmada with scripted API servers, for checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import Server, a_release
from lab.api import Api


@dataclass
class Cluster:
    name: str
    api: Api


@dataclass
class Release:
    folder: Path

    @property
    def crds(self) -> Path:
        return self.folder / "karmada-crds"

    @property
    def manifests(self) -> Path:
        return self.folder / "karmada-manifests/deploy"


@dataclass
class Plane:
    """What the checks use of a control plane."""

    api: Api
    release: Release
    spec: KarmadaSpec = field(default_factory=KarmadaSpec)
    members: tuple[Cluster, ...] = ()
    lab: Any = None
    run: Any = field(default_factory=lambda: SimpleNamespace(id="blue"))


def plane(tmp_path: Path, server: Server, *, members: tuple[Cluster, ...] = (), **table: Any) -> Any:
    spec = KarmadaSpec.model_validate({"members": [{"name": member.name} for member in members], **table})
    return Plane(server.api(), Release(a_release(tmp_path)), spec, members)


def member(uid: str) -> Cluster:
    return Cluster("member1", Server({"/api/v1/namespaces/kube-system": {"metadata": {"uid": uid}}}).api())
