"""The status of an object, being written down: what is observed, what is done about it, and the conditions that follow."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Any

from deployers.day2.upgrade import WHAT as UPGRADE
from deployers.operator.conditions import Conditions
from deployers.operator.observe import PlaneView, fingerprint_authority
from deployers.operator.plan import Observed, Operation
from deployers.operator.planes import Plane
from deployers.operator.status import SHOWN_MEMBERS
from deployers.operator.worker import SHOWN, Worker
from deployers.plane.rollout import ORDER

Json = dict[str, Any]
KEPT = ("plane", "release", "kubernetesVersion", "endpoint", "kubeconfigSecretRef", "progress", "components", "members", "memberStatuses")
"""Fields that stay as they were where nothing new is known."""
KEPT_CONDITIONS = ("Available", "UpToDate", "MembersReady", "CertificatesValid")
NAMES = {"NotPossible": "NotPossible", "UsageError": "Invalid", "NotReady": "TimedOut", "CommandFailed": "CommandFailed"}
"""Reasons for classes of errors; others have their own name."""


def write_time(at: float | dt.datetime | None = None) -> str:
    """Return a time as Kubernetes writes it; now without one."""
    if isinstance(at, dt.datetime):
        return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


class StatusReport:
    """The status of one object after one look."""

    def __init__(self, item: Mapping[str, Any], plane: Plane) -> None:
        before = item.get("status") or {}
        self.generation = int(item["metadata"]["generation"])
        self.conditions = Conditions(self.generation, write_time(), before.get("conditions") or ())
        self.status: Json = {key: before[key] for key in KEPT if key in before}
        self.status |= {"observedGeneration": before.get("observedGeneration", 0) or self.generation, "lab": plane.lab}

    def accept(self) -> None:
        """Note that the spec can be acted on."""
        self.conditions.put("Accepted", "True", "Accepted", "the spec is valid and possible here")
        self.status["observedGeneration"] = self.generation

    def refuse(self, reason: str, message: str) -> None:
        """Note that the spec is not acted on, and why. What runs is left as it is."""
        self.conditions.put("Accepted", "False", reason, message)
        self.status["observedGeneration"] = self.generation

    def observe(self, view: PlaneView, wanted: Json, outcomes: Mapping[str, Any], lacking: Mapping[str, str]) -> None:
        """Note what runs."""
        seen = view.observed
        if seen.asked is None:
            self.conditions.put("Available", "False", "NotInstalled", "Karmada is not installed yet")
        elif view.answers:
            self.conditions.put("Available", "True", "Serves", "karmada-apiserver answers and lists its members")
            self.status["endpoint"] = view.endpoint
        else:
            self.conditions.put(
                "Available", "False", "DoesNotAnswer" if seen.complete else "NotInstalled", view.why or "its programs do not run"
            )
        if seen.asked is not None:
            self.status |= {
                "release": seen.asked["karmada"]["release"],
                "kubernetesVersion": seen.asked["karmada"]["kubernetes"],
                "components": {"desired": view.programs, "ready": min(view.running, view.programs)},
            }
            if view.run is not None and (mark := fingerprint_authority(view.run)):
                self.status["plane"] = mark
        self.observe_members(view, wanted, outcomes, lacking)
        self.observe_certificates(view)
        self.observe_upgrade(seen)

    def observe_members(self, view: PlaneView, wanted: Json, outcomes: Mapping[str, Any], lacking: Mapping[str, str]) -> None:
        """Note the members: each with its own state, those that are not Ready first."""
        names = [each["name"] for each in wanted["lab"]["members"]]
        states = [member_state(name, view, outcomes, lacking) for name in names]
        states += [member_state(name, view, outcomes, {}, leaving=True) for name in view.members if name not in names]
        ready = sum(each["state"] == "Ready" and each["name"] in names for each in states)
        self.status["members"] = {
            "text": f"{ready}/{len(names)}",
            "desired": len(names),
            "joined": sum(name in view.members for name in names),
            "ready": ready,
        }
        self.status["memberStatuses"] = sorted(states, key=lambda each: (each["state"] == "Ready", each["name"]))[:SHOWN_MEMBERS]
        bad = [each for each in states if each["state"] != "Ready"]
        if not bad:
            self.conditions.put("MembersReady", "True", "AllReady", f"{ready} of {len(names)}")
        else:
            first = bad[0]
            text = f"{ready} of {len(names)}; {first['name']}: {first.get('message') or first['state']}"
            self.conditions.put("MembersReady", "False", first.get("reason") or first["state"], text)

    def observe_certificates(self, view: PlaneView) -> None:
        """Note when certificates end."""
        if view.expires is None:
            self.conditions.put("CertificatesValid", "Unknown", "NotInstalled", "there are no certificates yet")
            return
        self.status["certificatesExpire"] = write_time(view.expires)
        if view.expires < dt.datetime.now(dt.UTC):
            self.conditions.put("CertificatesValid", "False", "Expired", f"the first one ended at {write_time(view.expires)}")
        else:
            self.conditions.put("CertificatesValid", "True", "Valid", f"until {write_time(view.expires)}")

    def observe_upgrade(self, seen: Observed) -> None:
        """Note an upgrade that has begun and not ended."""
        pending = seen.pending
        if pending and pending["what"] == UPGRADE:
            done = list(pending["done"])
            left = [name for name in ORDER if name not in done and name not in {"etcd", "karmada-apiserver", "kube-controller-manager"}]
            self.status["upgrade"] = {
                "before": pending["from"],
                "wanted": pending["to"],
                "done": done,
                "next": left[0] if left else "",
            }

    def up_to_date(self, seen: Observed) -> None:
        """Note that no operation is left, or none but what the spec itself holds back."""
        pending = seen.pending
        if pending and pending["what"] == UPGRADE:
            text = f"{', '.join(pending['done'])} have release {pending['to']}; raise upgrade.through to go on"
            self.conditions.put("UpToDate", "True", "StepwiseWaiting", text)
        else:
            self.conditions.put("UpToDate", "True", "AsWanted", "what runs is what the spec says")
        self.conditions.put("Progressing", "False", "Idle", "no operation runs")

    def begin(self, operation: Operation) -> None:
        """Note that an operation begins."""
        self.conditions.put("UpToDate", "False", operation.kind, operation.why)
        self.conditions.put("Progressing", "True", operation.kind, operation.why)
        self.status["progress"] = {
            "operation": operation.kind,
            "text": "0/0",
            "done": 0,
            "total": 0,
            "failed": 0,
            "current": [],
            "since": write_time(),
        }

    def queue(self, operation: Operation) -> None:
        """Note that an operation waits for others to end."""
        self.conditions.put("UpToDate", "False", "Queued", f"{operation.kind} waits until another operation ends: {operation.why}")
        self.conditions.put("Progressing", "False", "Queued", "other operations run")

    def progress(self, worker: Worker) -> None:
        """Note how far the operation is that runs."""
        at = worker.progress
        self.conditions.put("UpToDate", "False", worker.kind, f"{worker.kind} runs")
        self.conditions.put("Progressing", "True", worker.kind, ", ".join(at.running[:SHOWN]) or f"{worker.kind} runs")
        self.status["progress"] = {
            "operation": worker.kind,
            "text": f"{at.done}/{at.total}",
            "done": at.done,
            "total": at.total,
            "failed": at.failed,
            "current": at.running[:SHOWN],
            "since": write_time(worker.began),
        }

    def fail(self, failed: Mapping[str, Any]) -> None:
        """Note that an operation failed; it is tried again."""
        reason = NAMES.get(failed["error"], failed["error"])
        text = f"{failed['operation']}: {failed['message']}"
        self.conditions.put("UpToDate", "False", reason, text)
        self.conditions.put("Progressing", "False", reason, text)

    def pause(self, waiting: Sequence[str]) -> None:
        """Note that changes wait."""
        self.conditions.put("Paused", "True", "Paused", f"waiting: {'; '.join(waiting)}" if waiting else "nothing waits")
        if waiting:
            self.conditions.put("UpToDate", "False", "Paused", "; ".join(waiting))
        else:
            self.conditions.put("UpToDate", "True", "AsWanted", "what runs is what the spec says")
        self.conditions.put("Progressing", "False", "Paused", "spec.paused is true")

    def delete(self, message: str, worker: Worker | None) -> None:
        """Note what the removal waits for."""
        self.conditions.put("Deleting", "True", "Removing", message)
        self.conditions.keep("Accepted", *KEPT_CONDITIONS)
        if worker:
            self.progress(worker)

    def document(self) -> Json:
        """Return the status."""
        self.conditions.keep(*KEPT_CONDITIONS, "Progressing")
        self.conditions.summarize()
        return {**self.status, "conditions": self.conditions.list()}


def member_state(name: str, view: PlaneView, outcomes: Mapping[str, Any], lacking: Mapping[str, str], *, leaving: bool = False) -> Json:
    """Return the state of one member."""
    why = view.members.get(name)
    failed = outcomes.get(name)
    if leaving:
        found = {"name": name, "state": "Leaving"}
    elif why == "":
        return {"name": name, "state": "Ready"}
    elif name in lacking and why is None:
        return {"name": name, "state": "Failed", "reason": "SecretMissing", "message": lacking[name]}
    else:
        found = {"name": name, "state": "Joining" if why is None else "NotReady", **({"message": why} if why else {})}
    if failed:
        reason = NAMES.get(failed["reason"], failed["reason"])
        found |= {"state": "Leaving" if leaving else "Failed", "reason": reason, "message": failed["message"]}
    return found
