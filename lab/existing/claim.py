"""The claim: a ConfigMap by which a lab holds a cluster that exists. Two labs cannot hold one; it is made atomically."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from lab.api import Api, Json, Refused
from lab.errors import NotPossible
from lab.existing.footprint import read_time
from lab.existing.rights import make_rights
from lab.limits.account import user_name
from lab.run import Run

NAMESPACE, NAME = "kube-system", "karmada-lab"
PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{NAME}"
RIGHTS = (
    *make_rights("get create delete", "configmaps", namespace=NAMESPACE),
    *make_rights("get", "namespaces"),
    *make_rights("list", "nodes"),
)
"""What every lab needs on a cluster that exists."""


@dataclass(frozen=True)
class Claim:
    """Which lab holds a cluster: its name and run directory, on which computer, by whom, since when (seconds since 1970)."""

    lab: str
    path: str
    computer: str
    user: str
    since: float

    def __str__(self) -> str:
        return f"lab {self.lab} of {self.user} on {self.computer} ({self.path})"

    def is_of(self, run: Path) -> bool:
        """Return whether the lab of this run directory has it."""
        return self.path == str(run) and self.computer == socket.gethostname()


def read_claim(api: Api) -> Claim | None:
    """Return the claim on a cluster, or None."""
    found = api.find(PATH)
    return parse_claim(found) if found else None


def parse_claim(item: Json) -> Claim:
    """Return the claim that a ConfigMap is."""
    data = item.get("data") or {}
    lab, path, computer, user = (str(data.get(key, "?")) for key in ("lab", "path", "computer", "user"))
    return Claim(lab, path, computer, user, read_time(item["metadata"]["creationTimestamp"]))


def take_claim(api: Api, run: Run, cluster: str) -> Claim:
    """Claim a cluster for a run and return the claim; one that it has already stays. NotPossible when another lab has the cluster."""
    data = {"lab": run.id, "path": str(run.path), "computer": socket.gethostname(), "user": user_name() or f"user id {os.getuid()}"}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME, "namespace": NAMESPACE}, "data": data}
    try:
        return parse_claim(api.create(manifest))
    except Refused as refused:
        if refused.status != 409:
            raise
    there = read_claim(api)
    if there is None or not there.is_of(run.path):
        raise claimed_error(cluster, api.server, there)
    return there


def claimed_error(cluster: str, server: str, there: Claim | None) -> NotPossible:
    """Return the error of a cluster that another lab has."""
    return NotPossible(
        f"claiming {cluster} failed: {there or 'another lab'} uses it",
        where=server,
        remedy=f"take that one down; if it is gone: kubectl -n {NAMESPACE} delete configmap {NAME}",
    )


def drop_claim(api: Api, run: Path) -> None:
    """Delete the claim of a run; nothing happens when it has none."""
    if (there := read_claim(api)) and there.is_of(run):
        api.delete(PATH)
