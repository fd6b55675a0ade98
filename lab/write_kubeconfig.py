"""Write kubeconfigs (0600): one context under a new name, or many files merged."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lab.kubeconfig import Json, KubeContext, load_document
from lab.run import write_private
from lab.yaml_text import dump_yaml


def write_context(path: Path, given: KubeContext, *, name: str, server: str | None = None) -> None:
    """Write a kubeconfig (0600) with one cluster, user and context of that name; `server` replaces the address."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {**given.cluster, "server": server or given.server}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [{"name": name, "user": given.user}],
    }
    write_private(path, dump_yaml(document).encode())


def merge_files(path: Path, kubeconfigs: Iterable[Path]) -> None:
    """Write one kubeconfig (0600) with the contexts of all that exist; the last one's current context is the current one."""
    merged: Json = {"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": []}
    for kubeconfig in kubeconfigs:
        if not kubeconfig.exists():
            continue
        document = load_document(kubeconfig.read_bytes())
        for part in ("clusters", "contexts", "users"):
            merged[part].extend(document[part])
        merged["current-context"] = document["current-context"]
    write_private(path, dump_yaml(merged).encode())
