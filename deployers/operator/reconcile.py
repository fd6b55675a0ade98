"""One object brought nearer to its spec: look at what is there, plan, start the first operation, write what is known into the status.

Level-triggered: nothing is remembered of why it is looked at. What an operation did is read from the lab again, never assumed.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from deployers.operator.deployment import KarmadaDeploymentSpec
from deployers.operator.document import make_document
from deployers.operator.faults import FieldFault, list_faults
from deployers.operator.kube import DeploymentStore, has_finalizer, is_deleting
from deployers.operator.look import WAIT_SECRET, DeploymentView, list_forced, renew_before, seconds_of
from deployers.operator.observe import PlaneReader, PlaneView
from deployers.operator.plan import Operation, make_plan, without_members
from deployers.operator.planes import Plane
from deployers.operator.recorder import Recorder
from deployers.operator.report import StatusReport
from deployers.operator.secrets import sync_secrets
from deployers.operator.work_queue import Key, backoff
from deployers.operator.worker import Worker
from deployers.wanted import prepare
from lab.errors import LabError, UsageError

Json = dict[str, Any]
RESYNC = 60.0
"""Seconds after which an object is looked at although nothing was reported."""
TERMINAL = frozenset({"UsageError"})
"""Errors that only a changed spec can end."""


@dataclass
class Held:
    """What the operator remembers of one object between two looks. A new operator begins without."""

    reader: PlaneReader = field(default_factory=PlaneReader)
    worker: Worker | None = None
    generation: int = 0
    operation: str = ""
    failures: int = 0
    failed: Json = field(default_factory=dict)
    """The error of the last operation that failed, with the operation and the generation."""
    not_before: float = 0.0
    checked: tuple[str, list[FieldFault]] = ("", [])
    """The UID and generation of the spec that was checked last, and its faults."""
    document: tuple[str, Json, Json | None] = ("", {}, None)
    """What documents were computed from last, the wanted one, and what runs: computing them takes longer than all else of a look."""


def normalize(asked: Json | None) -> Json | None:
    """Return the document of what runs with today's defaults: one of an earlier version lacks keys, which is no difference."""
    return prepare({**asked["lab"], "karmada": asked["karmada"]}, source="run.json").asked if asked else None


@dataclass
class Reconciler:
    """Reconciles objects, each by one thread at a time. `wake` has an object looked at again."""

    store: DeploymentStore
    recorder: Recorder
    cluster: str
    wake: Callable[[Key, float], None]
    slots: threading.Semaphore
    held: dict[Key, Held] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic

    def reconcile(self, key: Key) -> None:
        """Look at one object. Errors of its own are in its status; Deposed passes through."""
        item = self.store.find(*key)
        plane = Plane.of(self.cluster, *key)
        held = self.held.setdefault(key, Held())
        self.collect(item, held, plane)
        if item is None:
            if held.worker is None:
                self.held.pop(key, None)
            return
        if is_deleting(item):
            if has_finalizer(item):
                self.remove(key, item, held, plane)
            return
        self.bring(key, item, held, plane)

    # -- towards the spec ------------------------------------------------------------------------------------------------

    def bring(self, key: Key, item: Json, held: Held, plane: Plane) -> None:
        """Bring an object that is wanted nearer to its spec."""
        if not has_finalizer(item):
            self.store.put_finalizer(item, present=True)
        report = StatusReport(item, plane)
        mark = f"{item['metadata']['uid']}/{item['metadata']['generation']}"
        if held.checked[0] != mark:
            held.checked = (mark, list_faults(item["spec"]))
        if faults := held.checked[1]:
            report.refuse("Invalid", "\n".join(str(fault) for fault in faults))
            self.finish(key, item, report, after=RESYNC)
            return
        spec = KarmadaDeploymentSpec.model_validate(item["spec"])
        state = sync_secrets(spec, plane.files, partial(self.store.find_secret, key[0]))
        if state.faults:
            report.refuse("SecretMissing", "\n".join(f"{path}: {why}" for path, why in state.faults.items()))
            self.finish(key, item, report, after=WAIT_SECRET)
            return
        try:
            run = plane.find_run()
            view = held.reader.view(run, renew_before=dt.timedelta(seconds=seconds_of(renew_before(spec))))
            source = f"{mark}/{json.dumps(view.observed.asked)}"
            if held.document[0] != source:
                held.document = (source, self.make_wanted(spec, plane, view), normalize(view.observed.asked))
            _, wanted, asked = held.document
            view.observed = replace(view.observed, asked=asked)
        except LabError as error:
            report.refuse("Invalid" if isinstance(error, UsageError) else type(error).__name__, str(error))
            self.finish(key, item, report, after=RESYNC)
            return
        report.accept()
        self.act(key, item, held, report, DeploymentView(plane, spec, wanted, view, state, run))

    def make_wanted(self, spec: KarmadaDeploymentSpec, plane: Plane, view: PlaneView) -> Json:
        """Return the document that a spec asks for. What the spec leaves open and an installation has chosen stays as it is."""
        document = make_document(spec, plane.files)
        if asked := view.observed.asked:
            if spec.kubernetes_version is None:
                document["kubernetes"] = document["karmada"]["kubernetes"] = asked["karmada"]["kubernetes"]
            others = asked["karmada"]["addons"]["others"]
            addons = document["karmada"]["addons"]
            document["karmada"]["addons"] = {name: others.get(name, value) if value is True else value for name, value in addons.items()}
        return prepare(document, source="the KarmadaDeployment").asked

    def act(self, key: Key, item: Json, held: Held, report: StatusReport, look: DeploymentView) -> None:
        """Start the first operation that leads to the spec, unless one runs, it is paused, or it has to wait."""
        plan = make_plan(look.spec, look.wanted, look.view.observed)
        operations = [each for each in map(look.choose_members, plan.operations) if each is not None]
        report.observe(look.view, look.wanted, look.plane.read("outcomes.json"), look.state.members)
        after = RESYNC
        if held.worker and held.worker.running:
            self.stop_if_outdated(held, look)
            report.progress(held.worker)
        elif plan.refused:
            report.refuse("NotPossible", "\n".join(plan.refused))
        elif look.spec.paused:
            report.pause([each.why for each in operations])
        elif operations:
            after = self.start(key, item, held, report, look, operations[0])
        else:
            held.failed, held.failures = {}, 0
            report.up_to_date(look.view.observed)
            if waiting := look.waiting():
                after = waiting
        self.publish(item, report, look)
        self.finish(key, item, report, after=after)

    def publish(self, item: Json, report: StatusReport, look: DeploymentView) -> None:
        """Publish the administrator's kubeconfig once Karmada answers."""
        if look.run and look.view.answers:
            file = look.run.kubeconfig("karmada")
            report.status["kubeconfigSecretRef"] = {"name": self.store.publish_kubeconfig(item, file.read_bytes())}

    def stop_if_outdated(self, held: Held, look: DeploymentView) -> None:
        """Interrupt an installation of something else than what is wanted now. Other operations end first: they leave something whole."""
        worker = held.worker
        asked = look.view.observed.asked
        if (
            worker
            and worker.kind == "Install"
            and asked
            and not worker.interrupted
            and without_members(asked) != without_members(look.wanted)
        ):
            worker.interrupt()

    def start(self, key: Key, item: Json, held: Held, report: StatusReport, look: DeploymentView, operation: Operation) -> float:
        """Start an operation when it may begin; return after how many seconds to look again."""
        generation = int(item["metadata"]["generation"])
        if held.failed and held.failed["generation"] == generation and held.failed["operation"] == operation.kind:
            report.fail(held.failed)
            wait = held.not_before - self.clock()
            if held.failed["error"] in TERMINAL and not look.state.changed:
                return RESYNC
            if wait > 0 and not look.state.changed:
                return wait
        if not self.slots.acquire(blocking=False):
            report.queue(operation)
            return 1.0
        task = {
            "lab": look.plane.lab,
            "operation": asdict(operation),
            "most": look.spec.member_policy.max_concurrent if look.spec.member_policy else 10,
            "force": list(look.forced(operation.members)),
            "renew_before": seconds_of(renew_before(look.spec)),
        }
        self.launch(key, held, look.plane, operation, task, generation)
        report.begin(operation)
        self.recorder.record(item, f"{operation.kind}Started", operation.why)
        return RESYNC

    def launch(self, key: Key, held: Held, plane: Plane, operation: Operation, task: Json, generation: int) -> None:
        """Start the process of an operation. The slot that it takes is given back when it ends."""
        self.store.require_lead()
        path = plane.write("task.json", task)
        plane.write("owner.json", {"namespace": plane.namespace, "name": plane.name})

        def ended() -> None:
            self.slots.release()
            self.wake(key, 0.0)

        held.generation, held.operation = generation, operation.kind
        held.worker = Worker(operation.kind, path, plane.folder / "work.log", changed=partial(self.wake, key, 1.0), ended=ended)

    def collect(self, item: Json | None, held: Held, plane: Plane) -> None:
        """Take the result of an operation that has ended into account."""
        worker = held.worker
        if worker is None or worker.running or not worker.result:
            return
        held.worker = None
        result = worker.result
        plane.note_outcomes(result.get("result", {}).get("members", {}))
        if "error" in result and not worker.interrupted:
            held.failures += 1
            held.not_before = self.clock() + backoff(held.failures)
            held.failed = {**result, "operation": worker.kind, "generation": held.generation}
            if item:
                self.recorder.record(item, f"{worker.kind}Failed", result["message"], kind="Warning")
            return
        held.failed, held.failures = {}, 0
        if item and not worker.interrupted:
            took = time.time() - worker.began
            self.recorder.record(item, f"{worker.kind}Succeeded", f"{worker.kind} ended after {took:.0f} s")

    # -- away ------------------------------------------------------------------------------------------------------------

    def remove(self, key: Key, item: Json, held: Held, plane: Plane) -> None:
        """Remove Karmada with its object, or leave it where the spec retains it; then the finalizer goes."""
        report = StatusReport(item, plane)
        run = plane.find_run()
        if held.worker and held.worker.running:
            if held.worker.kind != "Remove" and not held.worker.interrupted:
                held.worker.interrupt()
            report.delete(f"{held.worker.kind} runs", held.worker)
            self.finish(key, item, report, after=RESYNC)
            return
        retain = item["spec"].get("deletionPolicy") == "Retain"
        if run is None or retain:
            if not retain:
                plane.forget()
            self.store.put_finalizer(item, present=False)
            self.held.pop(key, None)
            return
        policy = item["spec"].get("memberPolicy") or {}
        failing = plane.read("outcomes.json")
        report.delete(held.failed.get("message", "") or "Karmada is being removed", None)
        wait = held.not_before - self.clock() if held.failed.get("operation") == "Remove" else 0.0
        if wait <= 0 and self.slots.acquire(blocking=False):
            operation = Operation("Remove", "the object was deleted", dict(run.asked))
            names = [each["name"] for each in run.asked["lab"]["members"]]
            task = {"lab": plane.lab, "operation": asdict(operation), "force": list(list_forced(policy, failing, names))}
            self.launch(key, held, plane, operation, task, int(item["metadata"]["generation"]))
            self.recorder.record(item, "RemoveStarted", "members leave, then Karmada is removed")
        self.finish(key, item, report, after=max(wait, 1.0))

    def finish(self, key: Key, item: Json, report: StatusReport, *, after: float) -> None:
        """Write the status if it differs, and have the object looked at again."""
        self.store.put_status(item, report.document())
        self.wake(key, after)

    def stop_all(self, *, kill: bool = False) -> None:
        """End every operation: at the next border, or at once."""
        for held in list(self.held.values()):
            if held.worker and held.worker.running:
                (held.worker.kill if kill else held.worker.interrupt)()

    def promise_all(self) -> None:
        """Tell every operation that this operator still leads."""
        for held in list(self.held.values()):
            if held.worker:
                held.worker.promise()

    def running(self) -> int:
        """Return how many operations run."""
        return sum(bool(held.worker and held.worker.running) for held in list(self.held.values()))
