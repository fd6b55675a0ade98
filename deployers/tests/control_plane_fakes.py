"""A karmada-apiserver in memory, and a release in a folder: enough of both to put objects on one from the other."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import yaml

from deployers.karmada import Karmada
from deployers.spec import KarmadaSpec
from lab.api import Api
from lab.cluster import Lab
from lab.run import Run
from lab.spec import LabSpec, parse

Json = dict[str, Any]

KINDS = {
    "/api/v1": [("Namespace", "namespaces", False), ("Service", "services", True), ("ConfigMap", "configmaps", True)],
    "/apis/apiextensions.k8s.io/v1": [("CustomResourceDefinition", "customresourcedefinitions", False)],
    "/apis/apiregistration.k8s.io/v1": [("APIService", "apiservices", False)],
    "/apis/admissionregistration.k8s.io/v1": [
        ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", False),
        ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", False),
    ],
    "/apis/rbac.authorization.k8s.io/v1": [("ClusterRole", "clusterroles", False)],
    "/apis/apps/v1": [("Deployment", "deployments", True)],
    "/apis/coordination.k8s.io/v1": [("Lease", "leases", True)],
    "/apis/work.karmada.io/v1alpha2": [
        ("ResourceBinding", "resourcebindings", True),
        ("ClusterResourceBinding", "clusterresourcebindings", False),
    ],
    "/apis/policy.karmada.io/v1alpha1": [("PropagationPolicy", "propagationpolicies", True)],
}


class Server:
    """Objects by path. `created` answers what is created; `sent` is what was asked, as "VERB path"."""

    def __init__(self, objects: dict[str, Json] | None = None, *, created: Callable[[Json], Json | tuple[int, str]] | None = None) -> None:
        self.objects = objects or {}
        self.created = created
        self.sent: list[str] = []
        self.version = 10

    @property
    def writes(self) -> list[str]:
        return [request for request in self.sent if not request.startswith(("GET", "WATCH"))]

    @property
    def collections(self) -> set[str]:
        """The plurals that lists are answered for: those in the table, and those of CRDs."""
        names = {name for kinds in KINDS.values() for _, name, _ in kinds} | {"clusters"}
        return names | {path.rpartition("/")[2].partition(".")[0] for path in self.objects if "/customresourcedefinitions/" in path}

    def api(self) -> Api:
        api = Api("https://karmada.test", context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        api.http = httpx.Client(base_url="https://karmada.test", transport=httpx.MockTransport(self.answer))
        return api

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path, request.url.params
        self.sent.append(f"{'WATCH' if 'watch' in query else request.method} {path}")
        if request.method == "GET":
            return self.read(path, query)
        if request.method == "DELETE":
            return httpx.Response(200 if self.objects.pop(path, None) else 404, json={})
        body = json.loads(request.content)
        if request.method == "POST":
            answer = self.created(body) if self.created else body
            if isinstance(answer, dict) and body["kind"] == "CustomResourceDefinition":
                return httpx.Response(201, json=self.applied(f"{path}/{body['metadata']['name']}", body))
            if isinstance(answer, dict) and body["kind"] == "Namespace":
                self.objects[f"{path}/{body['metadata']['name']}"] = {**answer, "metadata": {**answer["metadata"], "resourceVersion": "1"}}
            if isinstance(answer, tuple):
                return httpx.Response(answer[0], json={"reason": "Forbidden", "message": answer[1]})
            return httpx.Response(201, json=answer)
        return httpx.Response(200, json=self.applied(path, body))

    def read(self, path: str, query: httpx.QueryParams) -> httpx.Response:
        if "watch" in query:
            return httpx.Response(200, content=b"")
        if path in KINDS:
            rows = [{"kind": kind, "name": name, "namespaced": namespaced} for kind, name, namespaced in KINDS[path]]
            return httpx.Response(200, json={"resources": rows})
        if path in self.objects:
            return httpx.Response(200, json=self.objects[path])
        below = [item for at, item in self.objects.items() if at.rpartition("/")[0] == path]
        if name := query.get("fieldSelector", "").removeprefix("metadata.name="):
            below = [item for item in below if item["metadata"]["name"] == name]
        if below or path.rpartition("/")[2] in self.collections:
            bare = [{key: value for key, value in item.items() if key not in {"apiVersion", "kind"}} for item in below]  # as API servers do
            return httpx.Response(200, json={"metadata": {"resourceVersion": str(self.version)}, "items": bare})
        return httpx.Response(404, json={"reason": "NotFound", "message": f"{path} not found"})

    def applied(self, path: str, body: Json) -> Json:
        """Keep uid, generation and version of what does not change, as server-side apply does."""
        old = self.objects.get(path, {})
        metadata = old.get("metadata", {})
        same = {key: value for key, value in old.items() if key not in {"metadata", "status"}} == {
            key: value for key, value in body.items() if key != "metadata"
        }
        if not (old and same):
            self.version += 1
            metadata = {"uid": metadata.get("uid", f"uid-{self.version}"), "generation": metadata.get("generation", 0) + 1}
            metadata["resourceVersion"] = str(self.version)
        status = {"conditions": [{"type": kind, "status": "True"} for kind in ("Established", "NamesAccepted", "Available")]}
        self.objects[path] = {**body, "metadata": {**body["metadata"], **metadata}, "status": status}
        return self.objects[path]


def crd(group: str, plural: str, kind: str) -> Json:
    """Return a CRD as a release has it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"plural": plural, "kind": kind},
            "scope": "Namespaced",
            "versions": [{"name": "v1alpha1", "storage": True, "served": True}],
        },
    }


def a_release(folder: Path) -> Path:
    """Write the parts of a release that an installation reads: karmada-crds and karmada-manifests/deploy."""
    works, bindings = crd("work.karmada.io", "works", "Work"), crd("work.karmada.io", "resourcebindings", "ResourceBinding")
    patch = {
        "metadata": {"name": "resourcebindings.work.karmada.io"},
        "spec": {
            "conversion": {
                "strategy": "Webhook",
                "webhook": {
                    "clientConfig": {"url": "https://{{name}}.{{namespace}}.svc:443/convert", "caBundle": "{{caBundle}}"},
                    "conversionReviewVersions": ["v1"],
                },
            }
        },
    }
    write(folder / "karmada-crds/bases/work/work.karmada.io_works.yaml", works)
    write(folder / "karmada-crds/bases/work/work.karmada.io_resourcebindings.yaml", bindings)
    write(folder / "karmada-crds/patches/webhook_in_resourcebindings.yaml", patch)
    deploy = folder / "karmada-manifests/deploy"
    hooks = [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": f"{kind}WebhookConfiguration",
            "metadata": {"name": f"{kind.lower()}-config"},
            "webhooks": [
                {
                    "name": name,
                    "clientConfig": {"url": f"https://karmada-webhook.karmada-system.svc:443/{path}", "caBundle": "{{caBundle}}"},
                }
            ],
        }
        for kind, name, path in (("Mutating", "works.karmada.io", "mutate-work"), ("Validating", "works.karmada.io", "validate-work"))
    ]
    write(deploy / "webhook-configuration.yaml", *hooks)
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "karmada-aggregated-apiserver", "namespace": "karmada-system"}}
    write(
        deploy / "karmada-aggregated-apiserver-apiservice.yaml",
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1alpha1.cluster.karmada.io"},
            "spec": {"caBundle": "{{caBundle}}", "service": {"name": "karmada-aggregated-apiserver", "namespace": "karmada-system"}},
        },
        {**service, "spec": {"type": "ExternalName", "externalName": "karmada-aggregated-apiserver.karmada-system.svc.cluster.local"}},
    )
    write(
        deploy / "admin-clusterrole-aggregation.yaml",
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "karmada-view"}},
    )
    write(
        deploy / "cluster-proxy-admin-rbac.yaml",
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "cluster-proxy-admin"}},
    )
    info = "server: {{apiserver_address}}\nca: {{ca_crt}}\n"
    write(
        deploy / "bootstrap-token-configuration.yaml",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "cluster-info", "namespace": "kube-public"},
            "data": {"kubeconfig": info},
        },
    )
    return folder


def write(file: Path, *documents: Json) -> None:
    """Write YAML documents; placeholders stand bare, as in upstream's files."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump_all(documents, width=10_000).replace("'{{", "{{").replace("}}'", "}}"))


def a_karmada(folder: Path, table: Json | None = None, *, run_id: str = "golden", members: int = 1) -> Karmada:
    """Return a control plane of a run that was just created; nothing of it is up."""
    lab = parse(LabSpec, {"members": [{"name": f"member{number + 1}"} for number in range(members)]}, source="test")
    spec = KarmadaSpec.model_validate({"members": [{"name": member.name} for member in lab.members], **(table or {})})
    asked = {"lab": lab.model_dump(mode="json"), "karmada": spec.model_dump(mode="json")}
    return Karmada.open(Lab.open(Run.create(run_id, asked, root=folder)))
