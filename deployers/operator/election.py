"""Leader election by a Lease of coordination.k8s.io: one operator acts, others wait.

As in client-go, another's Lease has expired when it has not changed for its duration by our own clock: clocks of computers may differ.
The leader stops before others can take over: it renews every `EVERY` seconds and counts itself deposed after `DEADLINE` without success,
which is less than the duration. A process that was stopped meanwhile finds so by its monotonic clock before its next write.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab.api import Api, Refused
from lab.errors import LabError

Json = dict[str, Any]
DURATION, DEADLINE, EVERY = 30.0, 20.0, 5.0
NAME = "karmada-lab-operator"


@dataclass
class Election:
    """One candidate. Not for several threads, but `leads` may be called from any."""

    api: Api
    namespace: str
    identity: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    clock: Callable[[], float] = time.monotonic
    renewed: float = -DURATION
    seen: tuple[str, float] = ("", 0.0)
    """The resourceVersion of another's Lease, and when it was seen first."""

    @property
    def path(self) -> str:
        return f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases/{NAME}"

    def leads(self) -> bool:
        """Return whether this candidate may act now."""
        return self.clock() - self.renewed < DEADLINE

    def attempt(self) -> bool:
        """Take or renew the Lease if possible; return whether this candidate leads. An API server that does not answer changes nothing."""
        began = self.clock()
        try:
            there = self.api.find(self.path)
            if there is None:
                self.api.create(self.make_lease({}))
            elif not self.may_take(there):
                return self.leads()
            else:
                self.api.request("PUT", self.path, body=self.make_lease(there))
        except Refused as refused:
            if refused.status != 409:  # another one was faster
                raise
            return self.leads()
        except LabError:
            return self.leads()
        self.renewed = began
        return True

    def may_take(self, there: Json) -> bool:
        """Return whether a Lease is ours, free, or has not changed for its duration."""
        spec = there.get("spec", {})
        if spec.get("holderIdentity") in {self.identity, "", None}:
            return True
        version = str(there["metadata"]["resourceVersion"])
        if version != self.seen[0]:
            self.seen = (version, self.clock())
        return self.clock() - self.seen[1] > float(spec.get("leaseDurationSeconds") or DURATION)

    def make_lease(self, there: Json) -> Json:
        """Return the Lease as this candidate holds it. It has the resourceVersion of the one before: a change in between is refused."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        before = there.get("spec", {})
        own = before.get("holderIdentity") == self.identity
        metadata = {"name": NAME, "namespace": self.namespace}
        if there:
            metadata["resourceVersion"] = there["metadata"]["resourceVersion"]
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": int(DURATION),
                "acquireTime": before.get("acquireTime") if own else now,
                "renewTime": now,
                "leaseTransitions": int(before.get("leaseTransitions") or 0) + (0 if own else 1),
            },
        }

    def release(self) -> None:
        """Give the Lease up, so that another one need not wait."""
        self.renewed = -DURATION
        try:
            there = self.api.find(self.path)
            if there and there["spec"].get("holderIdentity") == self.identity:
                body = {**there, "spec": {**there["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}}
                self.api.request("PUT", self.path, body=body)
        except LabError:
            return  # it expires
