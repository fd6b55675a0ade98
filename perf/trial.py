"""One trial: lab up, limit, applications, fault, observation; samples are saved whatever happens, then the lab is taken down.

    up       host, two members, Karmada                       limit   pods created on the survivor without Karmada, and deleted
    set up   applications through Karmada, all on the first   fault   T0
    moved    every pod runs on the survivor                   purged  nothing is being evicted any more; the end state is read

Every phase has a share of the shape's time. On a timeout or an interrupt the samples so far are kept, with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployers.karmada import Karmada
from deployers.plane.flags import extra_args
from deployers.up.bring_up import bring_up
from deployers.wanted import Wanted
from lab.errors import LabError, NotReady, ProvisionError
from lab.interrupt import Interrupted
from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.take_down import take_down
from lab.wait import SYSTEM, NotYet, until
from perf import applications, audit, backend, end_state, load, usage
from perf.applications import LIMIT, NAMESPACE
from perf.faults import Fault
from perf.observer import Observer
from perf.phase_limits import compute_refill_seconds
from perf.profile import MANAGER
from perf.samples import Row, Samples
from perf.shapes import LOST, SURVIVOR, Shape

Json = dict[str, Any]
Say = Callable[[str], None]
RESERVED = 25.0
"""Seconds reserved for reading the end state, saving, and taking the lab down."""
LAG = 60.0
"""Maximum seconds to wait for Karmada's status once every pod runs on the first member; kube-api-qps decides how long it takes."""
UNDISTURBED = 10.0
"""Seconds of users' requests before the fault: the baseline of their latency."""
UNMOVED = 60.0
"""Seconds after the fault in which nothing may move when failover is off."""


@dataclass(frozen=True)
class TrialPlan:
    """The parameters of a trial."""

    lab: str
    shape_name: str
    shape: Shape
    profile: str
    changes: tuple[str, ...]
    wanted: Wanted
    fault: Fault
    users: int = 0
    """Number of users that call the Karmada API from the steady state on."""
    kubemark: Path | None = None
    """The program of the hollow kubelets; None: kwok simulates the nodes."""
    objects: tuple[Json, ...] = ()
    """Objects of the profile, for both members and Karmada."""
    without_failover: bool = False
    root: Path | None = None

    def describe(self) -> Json:
        """Return its description for the head of the samples."""
        karmada = self.wanted.karmada
        assert karmada is not None
        return {
            "shape": self.shape_name,
            "sizes": {**self.shape.model_dump(), "pods": self.shape.pods},
            "profile": self.profile,
            "changes": list(self.changes),
            "fault": self.fault.kind,
            "users": self.users,
            "backend": "kubemark" if self.kubemark else "kwok",
            "without_failover": self.without_failover,
            "release": karmada.release,
            "kubernetes": self.wanted.lab.kubernetes,
            "settings": {
                name: extra_args(karmada, name) for name in (MANAGER, "karmada-scheduler", "karmada-apiserver", "karmada-webhook")
            },
            "objects": [f"{each['kind']} {each['metadata']['name']}" for each in self.objects],
            "asked": self.wanted.asked,
        }


@dataclass
class Trial:
    """A running trial."""

    plan: TrialPlan
    say: Say
    began: float = field(default_factory=time.time)
    deadline: float = field(init=False)
    samples: Samples = field(init=False)
    observer: Observer = field(init=False)
    _users: Path | None = field(init=False, default=None)
    _audit: list[Row] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.deadline = self.began + self.plan.shape.within
        ending: Json = {"complete": False, "stopped_by": "", "notes": []}
        self.samples = Samples(
            {**self.plan.describe(), "at": format_time(self.began), "began": self.began, "machine": usage.describe_machine(), **ending}
        )
        self.observer = Observer(self.began)

    @property
    def namespaces(self) -> list[str]:
        """The namespaces of the applications that move."""
        return applications.list_namespaces(NAMESPACE, self.plan.shape.namespaces)

    # -- phases ------------------------------------------------------------------------------------------------------

    def run(self, folder: Path) -> Samples:
        """Run all phases and save the samples. Record an early end in their head; re-raise an interrupt."""
        try:
            self._in_lab()
            self.samples.head["complete"] = True
        except LabError as error:
            self.samples.head["stopped_by"] = str(error)
        except Interrupted as stop:
            self.samples.head["stopped_by"] = str(stop)
            raise
        finally:
            self.observer.stop()
            self.samples.rows = [*self.observer.rows, *self._audit]
            if self._users is not None:
                self.samples.calls = load.read_requests(self._users, began=self.began)
            self.samples.head["observer_cpu_seconds"] = round(self.observer.seconds, 2)
            self.samples.head["seconds"] = round(time.time() - self.began, 1)
            path = self.samples.save(folder)
            self.say(f"kept in {path}")
            self._down()
        return self.samples

    def _in_lab(self) -> None:
        plan = self.plan
        self.say(f"lab up: 2 × {plan.shape.nodes} nodes, profile {plan.profile}")
        brought = bring_up(plan.wanted, plan.lab, root=plan.root, label="perf.failover")
        karmada = brought.karmada
        assert karmada is not None
        if plan.kubemark is not None:
            self.say("kubemark's hollow nodes")
            backend.start_nodes(karmada.lab, plan.shape, binary=plan.kubemark)
        for cluster in (karmada.cluster, *karmada.members):
            for manifest in plan.objects:
                cluster.api.apply(manifest)
        self.mark("up", karmada)
        with ExitStack() as stack:
            stack.callback(self.record_peak_memory, usage.PeakMemory(Supervisor(karmada.run.path)))
            inject = plan.fault.prepare(karmada, stack)
            self.observe(karmada)
            self.measure_limit(karmada)
            self.set_up(karmada)
            self.fail_member(karmada, inject)

    def _down(self) -> None:
        with suppress(LabError):
            take_down(Run.load(self.plan.lab, root=self.plan.root))

    def observe(self, karmada: Karmada) -> None:
        """Start every watch; return when each has read its initial list."""
        watch = self.observer
        watch.watch_karmada(karmada.kubeconfig, self.namespaces)
        for member in karmada.members:
            watch.watch_works(karmada.kubeconfig, member.name)
            watch.watch_member(member.kubeconfig, member.name, self.namespaces)

        def synced() -> None:
            if not watch.is_synced():
                raise NotYet("not every watch has started")

        until(synced, what="all watches have started", within=60.0)

    def measure_limit(self, karmada: Karmada) -> None:
        """Measure how fast the survivor starts pods without Karmada. On a timeout the limit is unknown, and the trial goes on."""
        shape, survivor = self.plan.shape, karmada.lab.member(SURVIVOR)
        count = shape.limit_applications * shape.replicas
        if not count:
            return
        self.say(f"the limit: {count} pods on {SURVIVOR} without Karmada")
        spaces = applications.list_namespaces(LIMIT, shape.namespaces)
        self.observer.watch_pods(survivor.kubeconfig, SURVIVOR, spaces, stream="limit")
        for space in spaces:
            applications.create_namespace(survivor.api, space)
        self.mark("limit-began", karmada)
        try:
            applications.create_deployments(survivor.api, spaces, applications=shape.limit_applications, replicas=shape.replicas)
            self.wait_for_count(
                lambda: self.observer.count_running(SURVIVOR, "limit"),
                count,
                what="the limit's pods run",
                within=self.get_seconds_left() / 3,
            )
            self.mark("limit-ended", karmada)
        except NotReady as error:
            self.add_note(f"the limit was not measured in time: {error.last}")
        self.observer.stop_watches(stream="limit")
        applications.delete_workloads(survivor.api, spaces, within=min(300.0, self.get_seconds_left() / 2))

    def set_up(self, karmada: Karmada) -> None:
        """Create the applications through Karmada; return when every pod runs on the first member and Karmada's status says so."""
        shape = self.plan.shape
        self.say(f"set up: {shape.applications} applications × {shape.replicas} through Karmada")
        self.mark("set-up-began", karmada)
        if not self.plan.without_failover and self.plan.fault.kind != "taint":
            applications.ensure(karmada.api, applications.build_taint_policy())
        for space in self.namespaces:
            applications.create_namespace(karmada.api, space)
            applications.ensure(karmada.api, applications.build_policy(space))
        applications.create_deployments(karmada.api, self.namespaces, applications=shape.applications, replicas=shape.replicas)
        self.wait_for_count(
            lambda: self.observer.count_running(LOST), shape.pods, what=f"all pods run on {LOST}", within=self.get_seconds_left()
        )

        def status_is_current() -> None:
            states = self.observer.get_bindings()
            ready = sum(state.endswith(f"ready={LOST}") for state in states.values())
            if ready < shape.applications:
                raise NotYet(f"{ready} of {shape.applications} bindings are ready on {LOST}")
            if time.time() - self.began - self.observer.get_last_time("binding") < 2.0:
                raise NotYet("bindings still change")

        self.try_to_wait(status_is_current, what="Karmada reports all bindings ready", within=min(LAG, self.get_seconds_left() / 4))
        self.mark("steady", karmada)
        self.wait_for_tokens()

    def wait_for_tokens(self) -> None:
        """Wait until the controller manager's token bucket is full again: a real fault does not follow right after mass creation."""
        karmada = self.plan.wanted.karmada
        assert karmada is not None
        since = self.samples.marks["steady"] - self.samples.marks["set-up-began"]
        seconds = min(
            compute_refill_seconds({MANAGER: extra_args(karmada, MANAGER)}, bindings=self.plan.shape.applications, since=since),
            self.get_seconds_left() / 4,
        )
        if seconds > 0:
            self.say(f"waiting {seconds:.0f} s, until Karmada's token bucket is full again")
            SYSTEM.sleep(seconds)

    def fail_member(self, karmada: Karmada, inject: Callable[[], None]) -> None:
        """Inject the fault; return when every pod runs on the survivor, no eviction is under way, and the end state has been read."""
        plan, survivor = self.plan, karmada.lab.member(SURVIVOR)
        if plan.users:
            self.say(f"{plan.users} users call the Karmada API")
            self._users = load.start_users(karmada, plan.users, self.namespaces[0])
            SYSTEM.sleep(UNDISTURBED)
        self.say(f"fault: {plan.fault.kind} of {LOST}")
        if not plan.fault.answers:
            self.observer.stop_watches(kubeconfig=karmada.lab.member(LOST).kubeconfig)
        self.mark("T0", karmada)
        inject()
        try:
            if plan.without_failover:
                self._check_nothing_moves()
            else:
                self._wait_until_moved(karmada)
        finally:
            with suppress(LabError):
                self.mark("ended", karmada)
                self.samples.final = end_state.read_end_state(
                    karmada, plan.shape, [survivor, *([karmada.lab.member(LOST)] if plan.fault.answers else [])]
                )
                self.read_audit_logs(karmada.run)

    def read_audit_logs(self, run: Run) -> None:
        """Read the milestones since the fault from the API servers' audit logs."""
        marks = self.samples.marks
        self._audit, self.samples.writers = audit.read_milestones(
            run, began=self.began, since=marks["T0"], until=marks.get("T8", marks["ended"])
        )

    def _wait_until_moved(self, karmada: Karmada) -> None:
        shape = self.plan.shape

        def tainted() -> None:
            state = self.observer.get_states("cluster").get(LOST, "not seen")
            if ":NoExecute" not in state:
                raise NotYet(state)

        until(tainted, what=f"{LOST} has a NoExecute taint", within=min(180.0, self.get_seconds_left()))
        self.mark("T3", karmada)
        self.wait_for_count(
            lambda: self.observer.count_running(SURVIVOR), shape.pods, what=f"all pods run on {SURVIVOR}", within=self.get_seconds_left()
        )
        self.mark("T8", karmada)

        def purged() -> None:
            states, works = self.observer.get_bindings(), self.observer.get_states("work")
            ready = sum(SURVIVOR in state.rpartition("ready=")[2] for state in states.values())
            clean = sum("evicting= " in state for state in states.values())
            old = sum(name.startswith(f"{LOST}/app-") and state not in {"deleting", "gone"} for name, state in works.items())
            if ready < shape.applications or clean < shape.applications or old:
                raise NotYet(
                    f"of {shape.applications} bindings {ready} are ready on {SURVIVOR}, {clean} rid of {LOST}, {old} old Works there"
                )
            if self.plan.fault.kind == "taint" and (still := self.observer.count_running(LOST)):
                raise NotYet(f"{still} pods still run on {LOST}")

        if self.try_to_wait(purged, what="what was on the lost member is purged", within=self.get_seconds_left()):
            self.mark("T9", karmada)

    def _check_nothing_moves(self) -> None:
        """Raise ProvisionError when a pod starts on the survivor within a minute although failover is off."""
        with suppress(NotReady):
            self.wait_for_count(
                lambda: self.observer.count_running(SURVIVOR), 1, what="something moves", within=min(UNMOVED, self.get_seconds_left())
            )
            raise ProvisionError("pods moved although failover is off")

    # -- helpers -----------------------------------------------------------------------------------------------------

    def get_seconds_left(self) -> float:
        """Return the seconds left before the reserved ones; at least one."""
        return max(1.0, self.deadline - RESERVED - time.time())

    def record_peak_memory(self, peak: usage.PeakMemory) -> None:
        """Record the peak memory in the samples."""
        peak.stop()
        self.samples.head["memory_peak_gib"] = round(peak.gib, 2)

    def add_note(self, text: str) -> None:
        self.samples.head["notes"].append(text)
        self.say(text)

    def try_to_wait(self, probe: Callable[[], None], *, what: str, within: float) -> bool:
        """Wait for an optional condition; on a timeout add a note with the last state and return False."""
        try:
            until(probe, what=what, within=within)
        except NotReady as error:
            self.add_note(f"{what}: not within {within:.0f} s: {error.last}")
            return False
        return True

    def mark(self, name: str, karmada: Karmada) -> None:
        """Record the time, and what every program has used so far."""
        self.samples.marks[name] = round(time.time() - self.began, 3)
        seconds, resident = usage.measure_own()
        self.samples.usage[name] = {
            **usage.measure_programs(Supervisor(karmada.run.path)),
            "perf/observer": (self.observer.seconds, 0),
            "perf/harness": (seconds - self.observer.seconds, resident),
        }
        self.samples.busy[name] = round(usage.measure_busy_seconds(), 2)
        if name in {"limit-began", "limit-ended", "T0", "T3", "T8"}:
            self.samples.requests[name] = {
                "karmada": usage.read_write_counts(karmada.api),
                SURVIVOR: usage.read_write_counts(karmada.lab.member(SURVIVOR).api),
            }

    def wait_for_count(self, count: Callable[[], int], wanted: int, *, what: str, within: float) -> None:
        """Return when a count has reached the wanted value; print the progress every ten seconds."""
        printed_at = time.monotonic()

        def reached() -> None:
            nonlocal printed_at
            now = count()
            if time.monotonic() - printed_at > 10.0:
                printed_at = time.monotonic()
                self.say(f"  {now} of {wanted}")
            if now < wanted:
                raise NotYet(f"{now} of {wanted}")

        until(reached, what=what, within=within, every=0.5)


def format_time(at: float) -> str:
    """Return a time in the format of reports."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
