"""A host cluster in memory with Karmada's pods on it, as an API answers for them."""

from __future__ import annotations

import json
import ssl
from typing import Any

import httpx

from lab.api import Api

Json = dict[str, Any]
SYSTEM = "karmada-system"


def deployment(name: str, command: list[str], *, replicas: int = 1, ready: int | None = None, kind: str = "Deployment") -> Json:
    """Return a workload of which so many replicas are ready."""
    there = replicas if ready is None else ready
    labels = {"app": name}
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": SYSTEM, "generation": 1, "uid": f"uid-{name}"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": name, "image": f"hub/{name}:1", "command": command}]},
            },
        },
        "status": {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": there},
    }


def pod(owner: str, *, ready: bool = True, restarts: int = 0, state: Json | None = None) -> Json:
    """Return a pod of a workload."""
    container = {"name": owner, "image": f"hub/{owner}:1", "ready": ready, "restartCount": restarts, "state": state or {"running": {}}}
    return {
        "metadata": {"name": f"{owner}-0", "namespace": SYSTEM, "labels": {"app": owner}},
        "status": {
            "phase": "Running" if ready else "Pending",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [container],
        },
    }


def merge(item: Json, patch: Json) -> None:
    """Merge a patch into an object, as an API server does (RFC 7386)."""
    for key, value in patch.items():
        if value is None:
            item.pop(key, None)
        elif isinstance(value, dict):
            merge(item.setdefault(key, {}), value)
        else:
            item[key] = value


class Host:
    """Objects by the path of their list; `logs` by pod. `patched_paths` are those of patched objects, in their order."""

    def __init__(self, *workloads: Json, pods: list[Json] | None = None, logs: dict[str, str] | None = None, **others: list[Json]) -> None:
        core, apps = f"/api/v1/namespaces/{SYSTEM}", f"/apis/apps/v1/namespaces/{SYSTEM}"
        self.lists: dict[str, list[Json]] = {
            f"{apps}/deployments": [each for each in workloads if each["kind"] == "Deployment"],
            f"{apps}/statefulsets": [each for each in workloads if each["kind"] == "StatefulSet"],
            f"{core}/pods": pods or [],
            f"{core}/events": others.get("events", []),
            f"{core}/secrets": others.get("secrets", []),
            "/api/v1/nodes": others.get("nodes", []),
            "/api/v1/namespaces": [{"metadata": {"name": SYSTEM}}] if workloads else [],
            "/apis/rbac.authorization.k8s.io/v1/clusterroles": [],
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings": [],
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": [],
        }
        self.logs = logs or {}
        self.patched_paths: list[str] = []

    def add(self, workload: Json) -> None:
        """Put a workload there, and its namespace."""
        self.lists[f"/apis/apps/v1/namespaces/{SYSTEM}/{workload['kind'].lower()}s"].append(workload)
        self.lists["/api/v1/namespaces"].append({"metadata": {"name": SYSTEM}})

    def empty(self) -> None:
        """Take everything away."""
        for items in self.lists.values():
            items.clear()

    def api(self) -> Api:
        api = Api("https://host.test", context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        api.http = httpx.Client(base_url="https://host.test", transport=httpx.MockTransport(self.answer))
        return api

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path, request.url.params
        if path.endswith("/log"):
            return httpx.Response(200, text=self.logs.get(path.split("/")[-2], ""))
        if path in self.lists:
            items = self.lists[path]
            if selector := query.get("labelSelector"):
                items = [each for each in items if each["metadata"]["labels"].get("app") == selector.removeprefix("app=")]
            if field := query.get("fieldSelector"):
                items = [each for each in items if each["involvedObject"]["name"] == field.partition("=")[2]]
            return httpx.Response(200, json={"items": items})
        folder, _, name = path.rpartition("/")
        for number, item in enumerate(self.lists.get(folder, [])):
            if item["metadata"]["name"] == name:
                if request.method == "PATCH":
                    merge(item, json.loads(request.content))
                    self.patched_paths.append(path)
                if request.method == "PUT":
                    self.lists[folder][number] = json.loads(request.content)
                return httpx.Response(200, json=self.lists[folder][number])
        return httpx.Response(404, json={"reason": "NotFound", "message": f"{path} not found"})
