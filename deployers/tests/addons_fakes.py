"""A site with addons, and what is put on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deployers.addons.site import Site
from deployers.plane.objects import CRDS
from deployers.tests.control_plane_fakes import Server, a_karmada
from lab.cluster import Cluster

Json = dict[str, Any]


def path(document: Json) -> str:
    return f"{CRDS}/{document['metadata']['name']}"


def newer(document: Json) -> Json:
    """The same CRD with one version more."""
    spec = document["spec"]
    return {**document, "spec": {**spec, "versions": [*spec["versions"], {"name": "v1", "served": True, "storage": False}]}}


def a_site(folder: Path, server: Server, *, name: str = "member1") -> Site:
    cluster = Cluster(name, name, folder / "none.yaml")
    cluster.__dict__["api"] = server.api()
    return Site(a_karmada(folder).run, "sets", cluster)


def established() -> Json:
    return {"conditions": [{"type": kind, "status": "True"} for kind in ("Established", "NamesAccepted")]}
