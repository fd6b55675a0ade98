"""Steps as data, and their executor.

Providers and deployers return steps; nothing runs until `execute`. So `lab up --plan` prints exactly what `lab up` would do, the
order follows from each step's needs and never from the order of the code, independent steps overlap, and each step is a row of the
report with a duration and an outcome.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum
from graphlib import CycleError
from typing import Any

from lab.errors import LabError
from lab.limits.cgroup import usable_processors
from lab.limits.files import Files
from lab.run import Run
from lab.wait import CANCELLED
from lab.waves import order_waves


class StepOutcome(str, Enum):
    """How a step or a test ended. UNKNOWN: it could not be measured here; it never counts as passed."""

    PASS = "pass"  # noqa: S105 (no password)
    FAIL = "fail"
    SKIP = "skip"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Step:
    """One step of a plan. `action` returns when the step is done and raises LabError when it fails; it may run a second time.

    `needs` are the names of steps that must have passed before. Among steps that may start, those with the lowest `priority` number
    start first. A `cpu_bound` step keeps a processor busy: at most as many of them run at once as there are processors, and one of
    lower priority waits until those before it have started, unless nothing else runs.
    """

    name: str
    action: Callable[[], object] = field(compare=False)
    needs: tuple[str, ...] = ()
    priority: int = 0
    cpu_bound: bool = False


class StepFailed(LabError):
    """One or more steps failed. Carries the text, exit code and remedy of the first, and names the others."""

    def __init__(self, failures: Mapping[str, BaseException], *, not_started: Sequence[str]) -> None:
        (name, cause), *others = failures.items()
        lines = [f"{name}: {cause}"] + [f"{other}: {error}" for other, error in others]
        super().__init__("\n".join(lines), where=None)
        self.failures = dict(failures)
        self.not_started = tuple(not_started)
        self.exit_code = cause.exit_code if isinstance(cause, LabError) else 4


class StepObserver:
    """Receives the start and end of each step, from several threads. This one ignores them."""

    def begins(self, step: Step, *, left: int) -> None: ...

    def ends(self, step: Step, *, seconds: float, error: BaseException | None, left: int) -> None: ...


def compute_waves(steps: Iterable[Step]) -> list[list[Step]]:
    """Return the steps in waves: each wave needs only earlier ones. ValueError names an unknown need, a name used twice or a cycle."""
    by_name: dict[str, Step] = {}
    for step in steps:
        if step.name in by_name:
            raise ValueError(f"two steps are called {step.name}")
        by_name[step.name] = step
    for step in by_name.values():
        if missing := [need for need in step.needs if need not in by_name]:
            raise ValueError(f"{step.name} needs {', '.join(missing)}, which no step provides")
    try:
        waves = list(order_waves({step.name: step.needs for step in by_name.values()}))
    except CycleError as error:
        raise ValueError(f"these steps need each other: {', '.join(sorted(set(error.args[1])))}") from error
    return [sorted((by_name[name] for name in wave), key=lambda step: step.priority) for wave in waves]


def filter_up_events(events: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the events of a journal without the steps of other verbs than `up`: of a backup, an upgrade, a restore.

    The first `up` has no start event; later ones start with `begun`.
    """
    rising = True
    for event in events:
        rising = rising or event["event"] == "begun"
        if rising or event["event"] not in {"begin", "end"}:
            yield event
        rising = rising and event["event"] not in {"up", "failed", "down"}


def execute(steps: Iterable[Step], run: Run, *, watcher: StepObserver | None = None, workers: int = 32) -> None:
    """Run all steps, each as soon as what it needs has passed; return when all have.

    After the first failure no further step starts; execute waits for the running ones, then raises StepFailed with every failure. An
    interrupt stops the start of new steps, ends the waits of the running ones (lab.wait.Cancelled) and passes through when they returned.
    The journal gets the start and end of each step: its needs, so that reports compute the critical path from the journal alone, and
    the kind and exit code of its error.
    """
    graph = Execution({step.name: step for wave in compute_waves(steps) for step in wave}, run, watcher or StepObserver())
    try:
        with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="step") as pool:
            try:
                while graph.start(pool):
                    graph.finish()
            except BaseException:  # an interrupt: the pool is left only when every thread has returned, so end their waits
                CANCELLED.set()
                raise
    finally:
        CANCELLED.clear()  # cleaning up may wait again
    graph.judge()


@dataclass
class Execution:
    """The state of one execution: steps to do, running and passed, and the errors of failed ones."""

    todo: dict[str, Step]
    run: Run
    watcher: StepObserver
    processors: int = max(2, usable_processors(Files(), fallback=os.cpu_count() or 2))
    running: dict[Future[None], tuple[Step, float]] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    failures: dict[str, BaseException] = field(default_factory=dict)

    @property
    def left(self) -> int:
        return len(self.todo) + len(self.running)

    def start(self, pool: ThreadPoolExecutor) -> bool:
        """Start every step that has all its needs, unless a step failed; return whether any step runs."""
        ready = [] if self.failures else [step for step in self.todo.values() if self.passed.issuperset(step.needs)]
        room = self.processors - sum(step.cpu_bound for step, _ in self.running.values())
        for step in sorted(ready, key=lambda step: (step.priority, step.cpu_bound)):
            foremost = min((other.priority for other in self.todo.values() if other.cpu_bound), default=step.priority)
            if step.cpu_bound and (room <= 0 or (step.priority > foremost and self.running)):
                continue
            room -= step.cpu_bound
            del self.todo[step.name]
            self.run.journal("begin", step=step.name, needs=step.needs)
            self.watcher.begins(step, left=self.left + 1)
            self.running[pool.submit(run_step, step)] = (step, time.monotonic())
        return bool(self.running)

    def finish(self) -> None:
        """Wait until at least one step has ended, and record its outcome."""
        finished, _ = wait(self.running, return_when=FIRST_COMPLETED)
        for future in finished:
            step, began = self.running.pop(future)
            seconds, error = time.monotonic() - began, future.exception()
            if error is None:
                self.passed.add(step.name)
            else:
                self.failures[step.name] = error
            outcome = StepOutcome.FAIL if error else StepOutcome.PASS
            why = {"error": str(error), "kind": type(error).__name__, "exit_code": getattr(error, "exit_code", 4)} if error else {}
            self.run.journal("end", step=step.name, seconds=round(seconds, 3), outcome=outcome.value, **why)
            self.watcher.ends(step, seconds=seconds, error=error, left=self.left)

    def judge(self) -> None:
        """Raise StepFailed when steps failed; any other error than a LabError is a bug and passes through with its traceback."""
        for error in self.failures.values():
            if not isinstance(error, LabError):
                raise error
        if self.failures:
            raise StepFailed(self.failures, not_started=list(self.todo))


def run_step(step: Step) -> None:
    """Run the step's action and discard its result."""
    step.action()
