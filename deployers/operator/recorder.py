"""Events of objects: at most one a reason in five minutes for each object, repeated ones counted, as `kubectl describe` shows them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from deployers.operator.api import API_VERSION
from lab.api import Api
from lab.errors import LabError

Json = dict[str, Any]
PAUSE = 300.0
COMPONENT = "karmada-lab-operator"
LONGEST = 1024


@dataclass
class Recorder:
    """Writes events. One that cannot be written is lost: events are no state."""

    api: Api
    clock: Callable[[], float] = time.time
    written: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)
    """When an event of an object's UID and a reason was written last, and how often it happened since the first."""

    def record(self, item: Mapping[str, Any], reason: str, message: str, *, kind: Literal["Normal", "Warning"] = "Normal") -> None:
        """Record that something happened to an object."""
        metadata = item["metadata"]
        key = (str(metadata["uid"]), reason)
        last, count = self.written.get(key, (0.0, 0))
        now = self.clock()
        if now - last < PAUSE and kind == "Warning":
            self.written[key] = (last, count + 1)
            return
        self.written[key] = (now, count + 1)
        mark = hashlib.sha256("/".join(key).encode()).hexdigest()[:10]
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        name = f"{metadata['name']}.{mark}" if kind == "Warning" else f"{metadata['name']}.{mark}{int(now * 1000) % 10**10:x}"
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": metadata["namespace"]},
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": item["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
                "resourceVersion": metadata.get("resourceVersion", ""),
            },
            "reason": reason,
            "message": message[:LONGEST],
            "type": kind,
            "source": {"component": COMPONENT},
            "firstTimestamp": when,
            "lastTimestamp": when,
            "count": count + 1,
        }
        try:
            self.api.apply(event)
        except LabError:
            return
