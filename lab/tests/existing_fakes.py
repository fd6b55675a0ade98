"""A cluster in memory: objects by path, of a few kinds, with creation times by a clock of its own."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from typing import Any

import httpx

from lab.api import Api

Json = dict[str, Any]
KINDS = {"namespaces": "Namespace", "configmaps": "ConfigMap", "secrets": "Secret", "nodes": "Node"}
SERVER = "https://cluster.test"


class MemoryCluster:
    """An API server of these objects. `allowed` are the verbs that its user may use; None is every one."""

    def __init__(self, *, uid: str = "u1", allowed: set[str] | None = None) -> None:
        self.objects: dict[str, Json] = {}
        self.now = 1000.0
        self.allowed = allowed
        self.asked: list[tuple[str, str]] = []
        self.put("/api/v1/namespaces/kube-system", uid=uid)
        self.api = Api(SERVER, context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self.api.http = httpx.Client(base_url=SERVER, transport=httpx.MockTransport(self.answer))

    def put(self, path: str, *, labels: dict[str, str] | None = None, **metadata: Any) -> None:
        """Keep an object, created now."""
        created = datetime.fromtimestamp(self.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        parts = path.split("/")
        place = {"namespace": parts[4]} if len(parts) > 5 and parts[3] == "namespaces" else {}
        self.objects[path] = {
            "metadata": {"name": parts[-1], **place, "labels": labels or {}, "creationTimestamp": created, **metadata},
        }

    def answer(self, request: httpx.Request) -> httpx.Response:
        verb, path = request.method, request.url.path
        self.asked.append((verb, path))
        body = json.loads(request.content) if request.content else {}
        if path.endswith("selfsubjectaccessreviews"):
            verb = body["spec"]["resourceAttributes"]["verb"]
            return httpx.Response(201, json={"status": {"allowed": self.allowed is None or verb in self.allowed}})
        if verb == "POST":
            at = f"{path}/{body['metadata']['name']}"
            if at in self.objects:
                return httpx.Response(409, json={"reason": "AlreadyExists"})
            self.put(at)
            self.objects[at].update(data=body.get("data"))
            return httpx.Response(201, json=self.objects[at])
        if verb == "DELETE":
            for at in [at for at in self.objects if at == path or at.startswith(f"{path}/")]:
                del self.objects[at]
            return httpx.Response(200, json={})
        if verb == "PATCH":
            for name, value in body["metadata"]["labels"].items():
                assert value is None
                del self.objects[path]["metadata"]["labels"][name]
            return httpx.Response(200, json=self.objects[path])
        return self.read(path, request.url.params.get("labelSelector", ""))

    def read(self, path: str, selector: str) -> httpx.Response:
        if path == "/apis":
            return httpx.Response(200, json={"groups": []})
        if path == "/api/v1":
            kinds = [
                {"name": name, "kind": kind, "namespaced": name in {"configmaps", "secrets"}, "verbs": ["list", "delete"]}
                for name, kind in KINDS.items()
            ]
            return httpx.Response(200, json={"resources": kinds})
        if path in self.objects:
            return httpx.Response(200, json=self.objects[path])
        collection = path.rpartition("/")[2]
        if collection not in KINDS:
            return httpx.Response(404, json={"reason": "NotFound"})
        found = [
            item
            for at, item in self.objects.items()
            if at.split("/")[-2] == collection
            and (not selector or selector in {f"{key}={value}" for key, value in item["metadata"]["labels"].items()})
        ]
        return httpx.Response(200, json={"metadata": {"resourceVersion": "1"}, "items": found})
