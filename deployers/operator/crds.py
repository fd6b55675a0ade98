"""The CustomResourceDefinitions of the API, made from its models."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from deployers.operator.api import GROUP, RULES, VERSION
from deployers.operator.deployment import KarmadaDeploymentSpec
from deployers.operator.status import KarmadaDeploymentStatus
from deployers.operator.structural import make_structural

Json = dict[str, Any]
LONGEST_NAME = 40
"""Of an object: names that are made from it have at most 63 characters."""


def make_crds() -> list[Json]:
    """Return every CustomResourceDefinition of the API."""
    return [make_deployment_crd()]


def make_deployment_crd() -> Json:
    """Return the definition of KarmadaDeployment."""
    columns = [
        column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        column("Release", ".status.release"),
        column("Mode", ".spec.install.mode"),
        column("Progress", ".status.progress.text"),
        column("Members", ".status.members.text"),
        column("Endpoint", ".status.endpoint", priority=1),
        column("Reason", '.status.conditions[?(@.type=="Ready")].reason', priority=1),
        column("Age", ".metadata.creationTimestamp", kind="date"),
    ]
    return make_crd(
        "KarmadaDeployment",
        "kd",
        KarmadaDeploymentSpec,
        KarmadaDeploymentStatus,
        columns,
        "A Karmada control plane and its members: installed, changed, upgraded and removed as its spec says.",
    )


def column(name: str, path: str, *, kind: str = "string", priority: int = 0) -> Json:
    """Return a column of `kubectl get`; one of priority 1 is shown by `-o wide`."""
    return {"name": name, "type": kind, "jsonPath": path, **({"priority": priority} if priority else {})}


def make_crd(kind: str, short: str, spec: type[BaseModel], status: type[BaseModel], columns: list[Json], description: str) -> Json:
    """Return the definition of a kind with a spec, a status and printer columns."""
    plural = f"{kind.lower()}s"
    schema = {
        "type": "object",
        "description": description,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": make_structural(spec),
            "status": make_structural(status),
        },
        RULES: [
            {
                "rule": f"self.metadata.name.size() <= {LONGEST_NAME}",
                "message": f"the name has more than {LONGEST_NAME} characters: names of other objects are made from it",
            }
        ],
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short],
                "categories": ["karmada-lab"],
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    }
