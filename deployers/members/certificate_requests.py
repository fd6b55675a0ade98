"""The certificate requests that `karmadactl register` makes on the control plane."""

from __future__ import annotations

from deployers.members.registry import RunningKarmada
from lab.api import Json

CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


def list_requests(karmada: RunningKarmada, name: str, token: str | None = None) -> list[Json]:
    """Return the certificate requests that register made for a member, those of one bootstrap token if it is given."""
    return [
        request
        for request in karmada.cluster.api.items(CSRS)
        if request["spec"].get("username", "").startswith(f"system:bootstrap:{token or ''}")
        and (request["metadata"]["name"].rpartition("-")[0] == name or request["metadata"]["name"][:-5] == f"agent-rbac-generator-{name}")
    ]


def is_issued(request: Json) -> bool:
    """Return whether a certificate request was approved and has its certificate."""
    status = request.get("status", {})
    return bool(status.get("certificate")) and any(each.get("type") == "Approved" for each in status.get("conditions", []))


def delete_requests(karmada: RunningKarmada, name: str) -> None:
    """Delete the certificate requests of a member's registration."""
    for request in list_requests(karmada, name):
        karmada.cluster.api.delete(f"{CSRS}/{request['metadata']['name']}")
