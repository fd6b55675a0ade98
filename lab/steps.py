"""Steps: what has to be done, as data, and the one place that does it.

A provider and a deployer return steps; nothing runs until `execute`. So `lab up --plan` prints exactly what `lab up`
would do, the order comes from what each step needs and never from the order of the code, everything that can overlap
does, and each step is a row of the report with a duration and an outcome.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum

from lab.errors import LabError
from lab.run import Run
from lab.wait import CANCELLED


class Outcome(str, Enum):
    """How a step or a test ended. Unknown: it could not be measured here, and is never green."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Step:
    """One thing to do. `action` returns when it is true, raises LabError when it cannot be; it may run a second time.

    `needs` are the names of steps that must have passed before. `first` breaks ties between steps that may start.
    """

    name: str
    action: Callable[[], object] = field(compare=False)
    needs: tuple[str, ...] = ()
    first: int = 0


class StepFailed(LabError):
    """One or more steps failed; carries the first cause's text, exit code and remedy, and names the others."""

    def __init__(self, failures: Mapping[str, BaseException], *, not_started: Sequence[str]) -> None:
        (name, cause), *others = failures.items()
        lines = [f"{name}: {cause}"] + [f"{other}: {error}" for other, error in others]
        super().__init__("\n".join(lines), where=None)
        self.failures = dict(failures)
        self.not_started = tuple(not_started)
        self.exit_code = cause.exit_code if isinstance(cause, LabError) else 4


class Watcher:
    """Is told of each step's beginning and end, from several threads. This one keeps silent."""

    def begins(self, step: Step, *, left: int) -> None: ...

    def ends(self, step: Step, *, seconds: float, error: BaseException | None, left: int) -> None: ...


def ordered(steps: Iterable[Step]) -> list[list[Step]]:
    """Return the steps in waves: each wave needs only earlier ones. ValueError names an unknown need or a cycle."""
    waiting = {}
    for step in steps:
        if step.name in waiting:
            raise ValueError(f"two steps are called {step.name}")
        waiting[step.name] = step
    for step in waiting.values():
        if missing := [need for need in step.needs if need not in waiting]:
            raise ValueError(f"{step.name} needs {', '.join(missing)}, which nobody provides")
    done: set[str] = set()
    waves: list[list[Step]] = []
    while waiting:
        wave = [step for step in waiting.values() if done.issuperset(step.needs)]
        if not wave:
            raise ValueError(f"these steps need each other: {', '.join(sorted(waiting))}")
        waves.append(sorted(wave, key=lambda step: step.first))
        done.update(step.name for step in wave)
        for step in wave:
            del waiting[step.name]
    return waves


def execute(steps: Iterable[Step], run: Run, *, watcher: Watcher | None = None, workers: int = 32) -> None:
    """Run all steps, each as soon as what it needs has passed; return when all have.

    After the first failure nothing new is started; what runs is waited for. Then StepFailed tells of every failure. An
    interrupt stops the start of new steps and passes through once the running ones have returned or noticed it.
    Beginning and end of each step are journalled.
    """
    todo = {step.name: step for wave in ordered(steps) for step in wave}
    watcher = watcher or Watcher()
    passed: set[str] = set()
    failures: dict[str, BaseException] = {}
    running: dict[Future[float], Step] = {}

    def perform(step: Step) -> float:
        began = time.monotonic()
        run.journal("begin", step=step.name)
        watcher.begins(step, left=len(todo) + len(running))
        step.action()
        return time.monotonic() - began

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="step") as pool:
        began_at: dict[str, float] = {}
        try:
            while todo or running:
                if not failures:
                    for step in sorted((s for s in todo.values() if passed.issuperset(s.needs)), key=lambda s: s.first):
                        del todo[step.name]
                        began_at[step.name] = time.monotonic()
                        running[pool.submit(perform, step)] = step
                if not running:
                    break
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    step = running.pop(future)
                    error = future.exception()
                    seconds = time.monotonic() - began_at[step.name]
                    if error is None:
                        passed.add(step.name)
                    else:
                        failures[step.name] = error
                    run.journal(
                        "end",
                        step=step.name,
                        seconds=round(seconds, 3),
                        outcome=(Outcome.FAIL if error else Outcome.PASS).value,
                        **({"error": str(error)} if error else {}),
                    )
                    watcher.ends(step, seconds=seconds, error=error, left=len(todo) + len(running))
        except BaseException:  # an interrupt: the pool is left only when every thread has returned, so end their waits
            CANCELLED.set()
            raise
    if failures:
        unexpected = [error for error in failures.values() if not isinstance(error, LabError)]
        if unexpected:
            raise unexpected[0]  # a bug of ours: its traceback matters more than a tidy list
        raise StepFailed(failures, not_started=list(todo))
