"""What is known of one object in one look, and which members can be acted on now."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from deployers.operator.deployment import KarmadaDeploymentSpec
from deployers.operator.observe import PlaneView
from deployers.operator.plan import Operation
from deployers.operator.planes import Plane
from deployers.operator.secrets import SecretState
from lab.run import Run

Json = dict[str, Any]
WAIT_SECRET = 5.0
"""Seconds after which a Secret that was missing is asked for again."""
MOVES = {"Join": "joined", "Unjoin": "left"}
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


@dataclass(frozen=True)
class DeploymentView:
    """What is known of one object in one look."""

    plane: Plane
    spec: KarmadaDeploymentSpec
    wanted: Json
    view: PlaneView
    state: SecretState
    run: Run | None

    def choose_members(self, operation: Operation) -> Operation | None:
        """Return an operation without members that cannot be joined now: no Secret, or they failed and wait. None when none is left."""
        if operation.kind not in {"Install", "Join", "Unjoin"}:
            return operation
        named = [each["name"] for each in operation.document["lab"]["members"]]
        names = named if operation.kind == "Install" else operation.members
        failing = self.plane.read("outcomes.json")
        now = time.time()
        ready = tuple(
            name
            for name in names
            if (operation.kind == "Unjoin" or name not in self.state.members)
            and (operation.kind == "Install" or now >= float(failing.get(name, {}).get("next", 0.0)) or self.state.changed)
        )
        if not ready and operation.kind != "Install":
            return None
        why = operation.why if operation.kind == "Install" else f"{', '.join(ready)} {MOVES[operation.kind]} the spec"
        return replace(operation, members=ready, why=why)

    def waiting(self) -> float:
        """Return after how many seconds a member that waits is tried again; 0 when none waits."""
        times = [float(each.get("next", 0.0)) - time.time() for each in self.plane.read("outcomes.json").values()]
        if self.state.members:
            times.append(WAIT_SECRET)
        return max(0.5, min(times)) if times else 0.0

    def forced(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the members to remove although they do not answer."""
        policy = self.spec.member_policy.model_dump() if self.spec.member_policy else {}
        return list_forced(policy, self.plane.read("outcomes.json"), names)


def list_forced(policy: Json, failing: Json, names: Iterable[str]) -> tuple[str, ...]:
    """Return the members that have failed to leave for so long that the policy forces them out."""
    if policy.get("whenUnreachable") != "ForceAfter":
        return ()
    limit = seconds_of(policy.get("forceAfter") or "0s")
    return tuple(name for name in names if name in failing and time.time() - float(failing[name]["since"]) >= limit)


def renew_before(spec: KarmadaDeploymentSpec) -> str:
    """Return how long before their end certificates are renewed."""
    return spec.certificates.renew_before if spec.certificates else "720h"


def seconds_of(duration: str) -> float:
    """Return a duration as Kubernetes writes it in seconds: 1h30m."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"([0-9]+)(h|m|s)", duration))
