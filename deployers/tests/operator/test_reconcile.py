from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest

from deployers.operator import reconcile as module
from deployers.operator.kube import FINALIZER
from deployers.operator.observe import PlaneView
from deployers.operator.plan import Observed
from deployers.operator.planes import Plane
from deployers.operator.reconcile import Reconciler
from deployers.operator.worker import Progress
from deployers.tests.operator_fakes import parse_spec, small
from lab.run import Run

Json = dict[str, Any]
KEY = ("fleet", "prod")


class Store:
    """The objects of a cluster, of which the reconciler sees one."""

    def __init__(self, spec: Json) -> None:
        self.item: Json | None = {
            "kind": "KarmadaDeployment",
            "metadata": {"name": "prod", "namespace": "fleet", "uid": "u", "generation": 1, "resourceVersion": "1"},
            "spec": spec,
        }
        self.statuses: list[Json] = []
        self.finalizers: list[bool] = []

    def find(self, namespace: str, name: str) -> Json | None:
        return self.item

    def find_secret(self, namespace: str, name: str) -> Json | None:
        return None

    def require_lead(self) -> None: ...

    def put_finalizer(self, item: Json, *, present: bool) -> None:
        self.finalizers.append(present)
        item["metadata"]["finalizers"] = [FINALIZER] if present else []

    def put_status(self, item: Json, status: Json) -> bool:
        self.statuses.append(status)
        item["status"] = status
        return True

    def publish_kubeconfig(self, item: Json, kubeconfig: bytes) -> str:
        return "prod-kubeconfig"

    def conditions(self) -> dict[str, str]:
        return {each["type"]: f"{each['status']} {each['reason']}" for each in self.statuses[-1]["conditions"]}


class FakeWorker:
    """An operation that runs until the test ends it."""

    made: ClassVar[list[FakeWorker]] = []

    def __init__(self, kind: str, task: Path, log: Path, *, changed: Any, ended: Any) -> None:
        self.kind, self.task, self.ended = kind, task, ended
        self.progress = Progress()
        self.result: Json = {}
        self.running, self.interrupted, self.began = True, False, 0.0
        FakeWorker.made.append(self)

    def interrupt(self) -> None:
        self.interrupted = True

    def finish(self, **result: Any) -> None:
        self.running, self.result = False, result
        self.ended()


class Events:
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def record(self, item: Json, reason: str, message: str, *, kind: str = "Normal") -> None:
        self.reasons.append(reason)


class Bed:
    def __init__(self, spec: Json, *, slots: int = 2) -> None:
        self.store, self.events, self.now = Store(spec), Events(), 100.0
        self.wakes: list[float] = []
        self.reconciler = Reconciler(
            self.store,  # type: ignore[arg-type]
            self.events,  # type: ignore[arg-type]
            "cluster",
            lambda key, after: self.wakes.append(after),
            threading.Semaphore(slots),
            clock=lambda: self.now,
        )

    def look(self) -> None:
        self.reconciler.reconcile(KEY)


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))
    monkeypatch.setattr(module, "Worker", FakeWorker)
    FakeWorker.made = []
    return Bed(small())


def install(bed: Bed, monkeypatch: pytest.MonkeyPatch, **observed: Any) -> None:
    """Let the Karmada of the spec be there."""
    plane = Plane.of("cluster", *KEY)
    asked = bed.reconciler.make_wanted(parse_spec(small()), plane, PlaneView())
    Run.create(plane.lab, asked)
    seen = PlaneView(Observed(asked, **{"complete": True, "alive": True, **observed}))
    monkeypatch.setattr("deployers.operator.observe.PlaneReader.view", lambda self, run, renew_before: seen)


def test_a_new_object_gets_a_finalizer_and_an_installation(bed: Bed) -> None:
    bed.look()

    assert bed.store.finalizers == [True]
    assert [worker.kind for worker in FakeWorker.made] == ["Install"]
    assert bed.store.conditions()["Progressing"] == "True Install"
    assert bed.events.reasons == ["InstallStarted"]
    bed.look()
    assert len(FakeWorker.made) == 1, "never two operations at once on one Karmada"


def test_an_invalid_spec_is_refused_and_nothing_begins(bed: Bed) -> None:
    assert bed.store.item is not None
    bed.store.item["spec"]["release"] = "9.9.9"
    bed.look()

    assert FakeWorker.made == []
    assert bed.store.conditions()["Ready"] == "False Invalid"


def test_a_failed_operation_waits_and_is_tried_again(bed: Bed) -> None:
    bed.look()
    FakeWorker.made[0].finish(error="NotReady", message="etcd: not within 30 s", exit_code=4)
    bed.look()
    assert len(FakeWorker.made) == 1
    assert bed.store.conditions()["Ready"] == "False TimedOut"
    bed.now += 10
    bed.look()
    assert len(FakeWorker.made) == 2
    assert bed.events.reasons == ["InstallStarted", "InstallFailed", "InstallStarted"]


def test_an_error_of_the_spec_waits_for_another_spec(bed: Bed) -> None:
    bed.look()
    FakeWorker.made[0].finish(error="UsageError", message="no such flag", exit_code=2)
    bed.now += 1000
    bed.look()
    assert len(FakeWorker.made) == 1
    assert bed.store.item is not None
    bed.store.item["metadata"]["generation"] = 2
    bed.look()
    assert len(FakeWorker.made) == 2


def test_what_is_as_wanted_is_left_alone(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    install(bed, monkeypatch)
    bed.look()
    bed.look()

    assert FakeWorker.made == []
    assert bed.store.statuses[0] == bed.store.statuses[1]
    assert bed.store.conditions()["UpToDate"] == "True AsWanted"
    assert bed.wakes[-1] == module.RESYNC


def test_a_spec_is_checked_once_a_generation(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    install(bed, monkeypatch)
    asked: list[Json] = []
    monkeypatch.setattr(module, "list_faults", lambda spec: asked.append(spec) or [])  # type: ignore[func-returns-value]
    bed.look()
    bed.look()
    assert len(asked) == 1
    assert bed.store.item is not None
    bed.store.item["metadata"]["generation"] = 2
    bed.look()
    assert len(asked) == 2


def test_a_later_operator_finds_no_difference_in_what_an_earlier_one_made(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document of an earlier version lacks keys that came later."""
    install(bed, monkeypatch)
    seen = module.Held().reader.view(None, renew_before=None)  # type: ignore[arg-type]
    assert seen.observed.asked is not None
    del seen.observed.asked["karmada"]["by_command"]
    bed.look()

    assert FakeWorker.made == []
    assert bed.store.conditions()["UpToDate"] == "True AsWanted"


def test_a_paused_object_begins_nothing(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    install(bed, monkeypatch, alive=False)
    assert bed.store.item is not None
    bed.store.item["spec"]["paused"] = True
    bed.look()

    assert FakeWorker.made == []
    assert bed.store.conditions()["Paused"] == "True Paused"


def test_no_more_operations_run_than_there_are_slots(bed: Bed) -> None:
    bed.reconciler.slots = threading.Semaphore(0)
    bed.look()

    assert FakeWorker.made == []
    assert bed.store.conditions()["UpToDate"] == "False Queued"


@pytest.mark.parametrize("paused", [False, True])
def test_a_deleted_object_is_removed_before_its_finalizer(bed: Bed, monkeypatch: pytest.MonkeyPatch, *, paused: bool) -> None:
    install(bed, monkeypatch)
    item = bed.store.item
    assert item is not None
    item["metadata"] |= {"deletionTimestamp": "2026-11-29T00:00:00Z", "finalizers": [FINALIZER]}
    item["spec"]["paused"] = paused
    bed.look()
    assert [worker.kind for worker in FakeWorker.made] == ["Remove"]
    assert bed.store.finalizers == []

    run = Plane.of("cluster", *KEY).find_run()
    assert run is not None
    run.remove()
    FakeWorker.made[0].finish(result={"members": {}})
    bed.look()
    assert bed.store.finalizers == [False]


def test_an_object_that_retains_lets_its_karmada_run(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    install(bed, monkeypatch)
    item = bed.store.item
    assert item is not None
    item["metadata"] |= {"deletionTimestamp": "2026-11-29T00:00:00Z", "finalizers": [FINALIZER]}
    item["spec"]["deletionPolicy"] = "Retain"
    bed.look()

    assert FakeWorker.made == []
    assert bed.store.finalizers == [False]
    assert Plane.of("cluster", *KEY).find_run() is not None


def test_deletion_interrupts_what_runs(bed: Bed) -> None:
    bed.look()
    assert bed.store.item is not None
    bed.store.item["metadata"]["deletionTimestamp"] = "2026-11-29T00:00:00Z"
    bed.look()

    assert FakeWorker.made[0].interrupted
    assert bed.store.conditions()["Deleting"] == "True Removing"


def test_an_object_that_is_gone_is_forgotten(bed: Bed) -> None:
    bed.store.item = None
    bed.look()

    assert bed.reconciler.held == {}
