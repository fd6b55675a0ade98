"""KarmadaDeployments in their cluster: read, given a finalizer, given a status."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployers.operator.api import API_VERSION, GROUP, VERSION
from lab.api import Api, Refused

Json = dict[str, Any]
PLURAL, KIND = "karmadadeployments", "KarmadaDeployment"
FINALIZER = f"{GROUP}/karmada"
MANAGER = "karmada-lab-operator"


class Deposed(Exception):
    """This operator leads no more: it must not write."""


@dataclass
class DeploymentStore:
    """The objects of one cluster. `leads` is asked before every write."""

    api: Api
    leads: Any = None
    written: dict[str, Json] = field(default_factory=dict)
    """The status that was written last, by UID: it is not written again while it is the same."""

    def path(self, namespace: str, name: str) -> str:
        return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}"

    def find(self, namespace: str, name: str) -> Json | None:
        """Return an object as it is now; None when it does not exist."""
        return self.api.find(self.path(namespace, name))

    def find_secret(self, namespace: str, name: str) -> Json | None:
        """Return a Secret; None when it does not exist."""
        return self.api.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")

    def require_lead(self) -> None:
        """Raise Deposed unless this operator leads."""
        if self.leads is not None and not self.leads():
            raise Deposed

    def put_finalizer(self, item: Json, *, present: bool) -> None:
        """Add or remove the finalizer; an object that is gone is fine."""
        names = [name for name in item["metadata"].get("finalizers") or [] if name != FINALIZER]
        names += [FINALIZER] if present else []
        self.require_lead()
        metadata = {"finalizers": names, "resourceVersion": item["metadata"]["resourceVersion"]}
        path = self.path(item["metadata"]["namespace"], item["metadata"]["name"])
        try:
            self.api.patch(path, {"metadata": metadata})
        except Refused as refused:
            if refused.status != 404:
                raise

    def put_status(self, item: Json, status: Json) -> bool:
        """Write the status of an object if it differs; return whether it was written. Fields that it leaves out are removed."""
        metadata = item["metadata"]
        if (item.get("status") or {}) == status or self.written.get(metadata["uid"]) == status:
            return False
        self.require_lead()
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            "status": status,
        }
        path = f"{self.path(metadata['namespace'], metadata['name'])}/status"
        self.api.request("PATCH", path, body=body, content_type="application/apply-patch+yaml", fieldManager=MANAGER, force="true")
        self.written[metadata["uid"]] = status
        return True

    def publish_kubeconfig(self, item: Json, kubeconfig: bytes) -> str:
        """Put the administrator's kubeconfig into a Secret that goes with the object; return its name."""
        metadata = item["metadata"]
        name = f"{metadata['name']}-kubeconfig"
        data = {"kubeconfig": base64.b64encode(kubeconfig).decode()}
        there = self.find_secret(metadata["namespace"], name)
        if there and there.get("data") == data:
            return name
        self.require_lead()
        owner = {"apiVersion": API_VERSION, "kind": KIND, "name": metadata["name"], "uid": metadata["uid"], "controller": True}
        self.api.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "Opaque",
                "metadata": {"name": name, "namespace": metadata["namespace"], "ownerReferences": [owner]},
                "data": data,
            }
        )
        return name


def is_deleting(item: Mapping[str, Any]) -> bool:
    """Return whether an object was deleted and waits for its finalizers."""
    return bool(item["metadata"].get("deletionTimestamp"))


def has_finalizer(item: Mapping[str, Any]) -> bool:
    """Return whether the operator's finalizer is on an object."""
    return FINALIZER in (item["metadata"].get("finalizers") or [])
