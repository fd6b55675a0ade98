"""Conditions of an object by the conventions of Kubernetes: one entry a type, and the time changes only with the status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
ConditionStatus = Literal["True", "False", "Unknown"]
SUMMARY = ("Accepted", "UpToDate", "Available", "MembersReady", "CertificatesValid")
"""The types that Ready sums up: its reason is that of the first one that is not True."""
LONGEST = 1024
"""Characters of a message: a status is no log."""


@dataclass
class Conditions:
    """The conditions of one object, being set. `known` are those that the object has; `now` is the time as Kubernetes writes it."""

    generation: int
    now: str
    known: Sequence[Mapping[str, Any]] = ()
    found: dict[str, Json] = field(default_factory=dict)

    def put(self, kind: str, status: ConditionStatus, reason: str, message: str = "") -> None:
        """Set one condition; an earlier one of that type with the same status gives its time."""
        before = next((each for each in self.known if each.get("type") == kind), {})
        since = before.get("lastTransitionTime") if before.get("status") == status else None
        self.found[kind] = {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…",
            "lastTransitionTime": since or self.now,
            "observedGeneration": self.generation,
        }

    def keep(self, *kinds: str) -> None:
        """Keep conditions as they are that nothing new is known of."""
        for each in self.known:
            if each.get("type") in kinds and each["type"] not in self.found:
                self.found[each["type"]] = dict(each)

    def summarize(self) -> None:
        """Set Ready from the others: False where one is False, Unknown where one is Unknown or missing."""
        others = [self.found.get(kind, {"type": kind, "status": "Unknown", "reason": "NotObserved", "message": ""}) for kind in SUMMARY]
        wrong = [each for each in others if each["status"] == "False"] or [each for each in others if each["status"] != "True"]
        if not wrong:
            self.put("Ready", "True", "Ready", "Karmada serves as its spec says")
            return
        first = wrong[0]
        text = f"{first['type']}: {first['message'] or first['reason']}"
        self.put("Ready", first["status"], first["reason"], text)

    def list(self) -> list[Json]:
        """Return the conditions, in the order of their types."""
        return [self.found[kind] for kind in sorted(self.found)]
