"""Wait for a namespace that is being deleted: nothing can be made in it until it is gone, and it can be made again then."""

from __future__ import annotations

from lab.api import Api, Json
from lab.errors import ProvisionError
from lab.wait import SYSTEM, Clock, NotYet, until

WITHIN = 60.0
STUCK_AFTER = 20.0
"""Seconds for which the same content must stand in the way of a deletion for it to be called stuck. Karmada looks every ten."""
BROKEN = ("NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure", "NamespaceDeletionContentFailure")
LEFT = ("NamespaceContentRemaining", "NamespaceFinalizersRemaining")


def wait_terminated(api: Api, namespace: str, *, on: str, within: float = WITHIN, clock: Clock = SYSTEM) -> bool:
    """Return once a namespace is not being deleted any more; tell whether it had to be waited for. One that is not there is fine.

    ProvisionError, before time is up, when its deletion cannot come to an end: the same thing has stood in its way for 20 s.
    """
    waited = False
    since, reason = clock.now(), ""

    def gone() -> None:
        nonlocal waited, since, reason
        found = api.find(f"/api/v1/namespaces/{namespace}")
        if found is None or not found["metadata"].get("deletionTimestamp"):
            return
        waited = True
        if (why := deletion_problem(found)) != reason:
            since, reason = clock.now(), why
        if reason and clock.now() - since >= STUCK_AFTER:
            raise ProvisionError(
                f"the namespace {namespace} of {on} is being deleted, and its deletion is stuck",
                where=api.server,
                detail=reason,
                remedy="delete what is named, or take its finalizers away; then run this again",
            )
        raise NotYet(f"it is being deleted{f': {reason}' if reason else ''}")

    until(gone, what=f"the namespace {namespace} of {on} is gone", within=within, every=0.5, clock=clock)
    return waited


def deletion_problem(namespace: Json) -> str:
    """Return what stands in the way of a namespace's deletion, as its controller says; "" when nothing is said."""
    said = {each["type"]: each for each in (namespace.get("status") or {}).get("conditions") or [] if each.get("status") == "True"}
    return "; ".join(str(said[kind].get("message", kind)) for kind in (*BROKEN, *LEFT) if kind in said)
