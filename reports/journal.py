"""Read the bring-ups of a run from its journal: steps with times, and the critical path.

A run may have been brought up several times (kept, then `up` again) or interrupted: each is one BringUp; an unfinished step is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab.steps import StepOutcome, filter_up_events
from reports.files import parse_json, read_lines, to_timestamp

Json = dict[str, Any]
AT_MOST = 8 << 20
"""Bytes of a journal that are read: a hundred times the size of one `up`."""


@dataclass(frozen=True)
class StepRecord:
    """One step that started. `needs` is None in journals of older versions, which do not record it."""

    name: str
    began: float
    ended: float | None = None
    outcome: StepOutcome = StepOutcome.UNKNOWN
    needs: tuple[str, ...] | None = None
    error: str = ""
    kind: str = ""
    exit_code: int | None = None

    @property
    def seconds(self) -> float:
        return 0.0 if self.ended is None else max(0.0, self.ended - self.began)


@dataclass(frozen=True)
class PathStep:
    """One step of a critical path, and how long it was ready before it started, because processors or threads were busy."""

    step: StepRecord
    waited: float


@dataclass(frozen=True)
class BringUp:
    """One `up` of a lab, successful or not. `seconds` is the duration that `up` reported, including software and checks."""

    steps: tuple[StepRecord, ...]
    outcome: StepOutcome
    seconds: float | None = None
    error: str = ""

    @property
    def began(self) -> float:
        return min(step.began for step in self.steps)

    @property
    def ended(self) -> float:
        return max(step.ended or step.began for step in self.steps)

    @property
    def critical_path(self) -> tuple[PathStep, ...]:
        """The chain of steps that determined the duration, first to last; empty when the journal does not record needs."""
        done = {step.name: step for step in self.steps if step.ended is not None}
        if not done or any(step.needs is None for step in done.values()):
            return ()
        chain: list[PathStep] = []
        step: StepRecord | None = max(done.values(), key=lambda each: each.ended or 0.0)
        while step is not None:
            before = max((done[need] for need in step.needs or () if need in done), key=lambda each: each.ended or 0.0, default=None)
            could = before.ended if before and before.ended else self.began
            chain.append(PathStep(step, max(0.0, step.began - could)))
            step = before
        return tuple(reversed(chain))


def read_events(path: Path) -> Iterator[Json]:
    """Yield the events of a journal. Skip lines that are not events, and everything beyond `AT_MOST`."""
    for line in read_lines(path, AT_MOST):
        try:
            event = parse_json(line)
        except ValueError:
            continue
        if isinstance(event, dict) and to_timestamp(event.get("at")) is not None and isinstance(event.get("event"), str):
            yield event


def list_bring_ups(journal: Iterable[Json]) -> list[BringUp]:
    """Return the bring-ups of a lab in order. A journal that ends within one makes it unknown."""
    found: list[BringUp] = []
    steps: dict[str, StepRecord] = {}

    def close(outcome: StepOutcome, event: Mapping[str, Any]) -> None:
        if steps:
            seconds = event.get("seconds")
            failed = any(step.outcome is StepOutcome.FAIL for step in steps.values())
            found.append(
                BringUp(
                    tuple(steps.values()),
                    StepOutcome.FAIL if failed else outcome,
                    float(seconds) if isinstance(seconds, int | float) else None,
                    str(event.get("error", "")),
                )
            )
            steps.clear()

    for event in filter_up_events(journal):
        name = str(event.get("step", ""))
        match event["event"]:
            case "begun":  # an earlier process that was killed wrote no end
                close(StepOutcome.UNKNOWN, {})
            case "begin" if name:
                needs = event.get("needs")
                steps[name] = StepRecord(name, float(event["at"]), needs=tuple(map(str, needs)) if isinstance(needs, list) else None)
            case "end" if name:
                steps[name] = end_step(steps.get(name), event)
            case "up":
                close(StepOutcome.PASS, event)
            case "failed":
                close(StepOutcome.FAIL, event)
            case "down":
                close(StepOutcome.UNKNOWN, {})
    close(StepOutcome.UNKNOWN, {})
    return found


def end_step(begun: StepRecord | None, event: Mapping[str, Any]) -> StepRecord:
    """Return a step with its end."""
    at = float(event["at"])
    seconds = event.get("seconds")
    took = float(seconds) if isinstance(seconds, int | float) else 0.0
    code = event.get("exit_code")
    return replace(
        begun or StepRecord(str(event["step"]), at - took),
        ended=at,
        outcome=StepOutcome.PASS if event.get("outcome") == StepOutcome.PASS.value else StepOutcome.FAIL,
        error=str(event.get("error", "")),
        kind=str(event.get("kind", "")),
        exit_code=code if isinstance(code, int) else None,
    )
