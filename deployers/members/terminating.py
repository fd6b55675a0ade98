"""Wait for a terminating namespace: until it is deleted, nothing can be created in it."""

from __future__ import annotations

from lab.api import Api, Json
from lab.errors import ProvisionError
from lab.wait import SYSTEM, Clock, NotYet, until

WITHIN = 60.0
STUCK_AFTER = 20.0
"""Seconds with the same reason after which a deletion counts as stuck. Karmada looks every ten."""
BROKEN = ("NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure", "NamespaceDeletionContentFailure")
LEFT = ("NamespaceContentRemaining", "NamespaceFinalizersRemaining")


def wait_terminated(api: Api, namespace: str, *, on: str, within: float = WITHIN, clock: Clock = SYSTEM) -> bool:
    """Wait until a namespace is not terminating; return whether it was. A missing namespace is fine.

    Raise ProvisionError before the timeout when the deletion is stuck: the same reason for 20 s.
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
                f"deletion of the namespace {namespace} of {on} is stuck",
                where=api.server,
                detail=reason,
                remedy="delete the objects named above, or remove their finalizers; then run this again",
            )
        raise NotYet(f"it is being deleted{f': {reason}' if reason else ''}")

    until(gone, what=f"the namespace {namespace} of {on} is gone", within=within, every=0.5, clock=clock)
    return waited


def deletion_problem(namespace: Json) -> str:
    """Return why a namespace cannot be deleted, as its controller reports it; "" without a report."""
    reported = {each["type"]: each for each in (namespace.get("status") or {}).get("conditions") or [] if each.get("status") == "True"}
    return "; ".join(str(reported[kind].get("message", kind)) for kind in (*BROKEN, *LEFT) if kind in reported)
