"""The answer to an admission review of a KarmadaDeployment: refused with every fault at once, or allowed with warnings. Pure.

Nothing is in the way of status, finalizers and deletion: a webhook that refused those would keep an object for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployers.operator.faults import list_faults

Json = dict[str, Any]


def review(request: Mapping[str, Any]) -> Json:
    """Return the response to the request of an AdmissionReview (admission.k8s.io/v1)."""
    uid = str(request.get("uid", ""))
    new, old = request.get("object") or {}, request.get("oldObject") or {}
    deleting = bool((new.get("metadata") or {}).get("deletionTimestamp"))
    unchanged = bool(old) and old.get("spec") == new.get("spec")
    if request.get("operation") not in {"CREATE", "UPDATE"} or request.get("subResource") or deleting or unchanged:
        return {"uid": uid, "allowed": True}
    if faults := list_faults(new.get("spec") or {}):
        causes = [{"reason": "FieldValueInvalid", "field": fault.path, "message": fault.why} for fault in faults]
        message = "; ".join(str(fault) for fault in faults)
        details = {"name": (new.get("metadata") or {}).get("name", ""), "causes": causes}
        status = {"code": 422, "reason": "Invalid", "message": message, "details": details}
        return {"uid": uid, "allowed": False, "status": status}
    warnings = list(list_warnings(new.get("spec") or {}, old.get("spec") or {}))
    return {"uid": uid, "allowed": True, **({"warnings": warnings} if warnings else {})}


def list_warnings(new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a user may not have meant: it is allowed."""
    before = {each["name"]: each for each in old.get("members") or []}
    after = {each["name"]: each for each in new.get("members") or []}
    if gone := sorted(before.keys() - after.keys()):
        yield f"spec.members: {', '.join(gone)} will leave Karmada"
    for name in sorted(before.keys() & after.keys()):
        if before[name].get("mode") != after[name].get("mode"):
            yield f"spec.members: {name} will leave Karmada and join again with mode {after[name].get('mode')}"
    if old and new.get("paused"):
        yield "spec.paused: the change takes effect when the object is no longer paused"
    if old and old.get("deletionPolicy") != new.get("deletionPolicy") == "Delete":
        yield "spec.deletionPolicy: deleting the object now removes Karmada"
