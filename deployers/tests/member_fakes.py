"""A control plane and a member in memory, and a karmadactl that does to them what the real one does (recorded with v1.18.2)."""

from __future__ import annotations

import base64
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deployers.members import owned_objects
from deployers.members.bootstrap_token import CLUSTER_INFO
from deployers.members.certificate_requests import CSRS
from deployers.members.register import SECRET
from deployers.members.registry import CLUSTERS
from deployers.names import CLUSTER_NAMESPACE
from lab.api import Api
from lab.cluster import Cluster
from lab.machines.scripted import Answer, Scripted, ScriptedFailure
from lab.run import Run

Json = dict[str, Any]
TOKEN = "hfuvfi.ldq2508oifd4alq2"
HASH = "sha256:778a431c76b6bb2500fa90b467cae06d9212d01cce7c5f65d6c5bc98a0147119"
PREFLIGHT = """[preflight] Running pre-flight checks
error execution phase preflight: [preflight] Some fatal errors occurred:
	[ERROR]: karmada-system/karmada-kubeconfig Secret already exists

[preflight] Please check the above errors
"""
WITH_SECRETS = ("", "-impersonator")


@dataclass
class Side:
    """Objects by path, served as an API server does; what was asked. `away`: nobody answers. `refuses`: the status of every answer."""

    server: str
    uid: str
    objects: dict[str, Json] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    away: bool = False
    refuses: int = 0

    def __post_init__(self) -> None:
        self.objects["/api/v1/namespaces/kube-system"] = {"metadata": {"name": "kube-system", "uid": self.uid}}

    def writes(self) -> list[tuple[str, str]]:
        return [(verb, path) for verb, path in self.asked if verb != "GET"]

    def put(self, path: str, **parts: Any) -> None:
        """Keep an object at a path; its name is the path's end."""
        metadata = {"name": path.rpartition("/")[2], **parts.pop("metadata", {})}
        self.objects[path] = {"metadata": metadata, **parts}

    def cluster(self, name: str, context: str, kubeconfig: Path) -> Cluster:
        """Return the handle of this side, whose API is this."""
        api = Api(self.server, context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        api.http = httpx.Client(base_url=self.server, transport=httpx.MockTransport(self.answer))
        cluster = Cluster(name, context, kubeconfig)
        cluster.__dict__["api"] = api
        return cluster

    def answer(self, request: httpx.Request) -> httpx.Response:
        verb, path = request.method, request.url.path
        if self.away:
            raise httpx.ConnectError("[Errno 111] Connection refused")
        if self.refuses:
            return httpx.Response(self.refuses, json={"kind": "Status", "reason": "Unauthorized", "message": "Unauthorized"})
        self.asked.append((verb, path))
        if verb == "GET":
            return httpx.Response(200, content=b"") if "watch" in request.url.params else self.read(path, request.url.params)
        if verb == "DELETE":
            self.objects.pop(path, None)
            return httpx.Response(200, json={})
        body = json.loads(request.content)
        if verb == "POST":
            at = f"{path}/{body['metadata']['name']}"
            if at in self.objects:
                return httpx.Response(409, json={"reason": "AlreadyExists", "message": "already exists"})
            self.objects[at] = body
            return httpx.Response(201, json=body)
        for part in ("metadata", "spec"):
            self.objects[path].setdefault(part, {}).update({key: value for key, value in body.get(part, {}).items() if value is not None})
        return httpx.Response(200, json=self.objects[path])

    def read(self, path: str, query: httpx.QueryParams) -> httpx.Response:
        kinds = ("namespaces", "serviceaccounts", "secrets")
        if path == "/api/v1":
            names = {"namespaces": "Namespace", "serviceaccounts": "ServiceAccount", "secrets": "Secret"}
            resources = [{"name": kind, "kind": names[kind], "namespaced": kind != "namespaces", "verbs": ["list"]} for kind in kinds]
            return httpx.Response(200, json={"resources": resources})
        if path == "/apis":
            return httpx.Response(200, json={"groups": []})
        if path in self.objects:
            return httpx.Response(200, json=self.objects[path])
        wanted, label = query.get("fieldSelector", "").removeprefix("metadata.name="), query.get("labelSelector", "")
        items = [
            item
            for at, item in self.objects.items()
            if at.rpartition("/")[0] == path
            and wanted in {"", item["metadata"]["name"]}
            and label in {"", *("=".join(pair) for pair in item["metadata"].get("labels", {}).items())}
        ]
        collection = path.rpartition("/")[2]
        if items or (collection.endswith("s") and collection not in {"works", "namespaces"}) or collection in {"works", *kinds}:
            return httpx.Response(200, json={"metadata": {"resourceVersion": "1"}, "items": items})
        return httpx.Response(404, json={"reason": "NotFound", "message": f"{path} not found"})


class Release:
    def binary(self, name: str) -> Path:
        return Path("/software") / name


@dataclass
class Fixture:
    """A control plane (a `members.ControlPlane`), a member, and the scripted machine between them."""

    run: Run
    plane: Side
    there: Side
    machine: Scripted
    cluster: Cluster
    member: Cluster
    release: Release = field(default_factory=Release)

    def commands(self) -> str:
        """Return the commands that were run, one a line, without their folder."""
        return self.machine.transcript().replace("/software/", "").replace(str(self.run.path), "RUN")

    def registered(
        self, *, name: str = "member1", uid: str = "uid-of-member1", mode: str = "Push", ready: str = "True", **metadata: Any
    ) -> None:
        """Put a Cluster object onto the control plane."""
        conditions = [{"type": "Ready", "status": ready, "message": "cluster is healthy and ready to accept workloads"}]
        self.plane.put(
            f"{CLUSTERS}/{name}",
            metadata={"uid": f"object-{name}", **metadata},
            spec={"id": uid, "syncMode": mode, "apiEndpoint": "https://member1.test"},
            status={"conditions": conditions},
        )

    def joins(self, args: tuple[str, ...]) -> str:
        """Do what karmadactl join does to the control plane."""
        self.registered(name=args[2])
        for end in WITH_SECRETS:
            self.plane.put(f"/api/v1/namespaces/{CLUSTER_NAMESPACE}/secrets/{args[2]}{end}", metadata={"ownerReferences": [{}]})
        return f"cluster({args[2]}) is joined successfully\n"

    def leaves(self, args: tuple[str, ...]) -> str:
        """Do what karmadactl unjoin and unregister do to both sides."""
        name = args[2]
        for side, label in ((self.plane, "control plane"), (self.there, "member")):
            for trace in owned_objects.OWNED_OBJECTS:
                if trace.side == label and not trace.lingers:
                    side.objects.pop(trace.at(name), None)
        return ""

    def invites(self, args: tuple[str, ...]) -> str:
        """Do what karmadactl token create and the bootstrap signer do."""
        identity = TOKEN.partition(".")[0]
        self.plane.put(f"/api/v1/namespaces/kube-system/secrets/bootstrap-token-{identity}")
        self.plane.put(CLUSTER_INFO, data={f"jws-kubeconfig-{identity}": "signature"})
        return f"karmadactl register 127.0.0.1:5443 --token {TOKEN} --discovery-token-ca-cert-hash {HASH}\n"

    def registers(self, args: tuple[str, ...]) -> str:
        """Do what karmadactl register does to both sides."""
        name = args[args.index("--cluster-name") + 1]
        for trace in owned_objects.OWNED_OBJECTS:
            if trace.registered:
                (self.plane if trace.side == "control plane" else self.there).put(trace.at(name))
        self.there.put(SECRET, data={"karmada-kubeconfig": base64.b64encode(b"the agent's kubeconfig").decode()})
        self.plane.put(
            f"{CSRS}/{name}-gvlpw",
            spec={"username": f"system:bootstrap:{TOKEN.partition('.')[0]}"},
            status={"certificate": "x", "conditions": [{"type": "Approved"}]},
        )
        return f"\ncluster({name}) is joined successfully\n"


def two_sides(folder: Path, **answers: Answer) -> Fixture:
    """Return both sides; `answers` replace what karmadactl's verbs do: join, unjoin, token, register, unregister."""
    run = Run.create("golden", {"lab": {}}, root=folder)
    plane, there = Side("https://karmada.test", "uid-of-karmada"), Side("https://member1.test", "uid-of-member1")
    for namespace in ("karmada-system", CLUSTER_NAMESPACE):
        plane.put(f"/api/v1/namespaces/{namespace}")
    fixture = Fixture(
        run,
        plane,
        there,
        Scripted(),
        plane.cluster("karmada", "karmada-apiserver", run.kubeconfig("karmada")),
        there.cluster("member1", "member1", run.kubeconfig("member1")),
    )
    defaults: dict[str, Answer] = {
        "join": fixture.joins,
        "unjoin": fixture.leaves,
        "token": fixture.invites,
        "register": fixture.registers,
        "unregister": fixture.leaves,
    }
    fixture.machine = Scripted({("/software/karmadactl", verb): answer for verb, answer in {**defaults, **answers}.items()})
    return fixture


__all__ = ["HASH", "PREFLIGHT", "TOKEN", "Fixture", "ScriptedFailure", "Side", "two_sides"]
