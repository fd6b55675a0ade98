"""Causes in the programs of a lab: ended, killed, paused, stopped, or never started."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from dataclasses import replace

from lab.count import count
from lab.diagnosis.cause import Cause, Rank
from lab.diagnosis.log_cause import find_exit_reason
from lab.hints import command
from lab.limits.files import Files
from lab.limits.oom import count_kills
from lab.programs import ask_machines
from lab.run import Run
from lab.status.lab_status import expected_programs, kernel_state, sort_by_need
from lab.supervisor.state import ProgramState, SupervisorStatus

CRASH_LOOP = 2
"""Crashes after which a program is not expected to run again by itself."""

LOG_LINES = 400
"""Lines at the end of a log that are searched for a reason: a usage text has about 200."""


def find_program_causes(run: Run, seen: SupervisorStatus | None) -> Iterator[Cause]:
    """Yield a cause for each program that is expected to run on this computer and does not, those that others need first.

    `seen` is what the supervisor answers, None when it does not run.
    """
    expected = expected_programs(run)
    if seen is None:
        if expected:
            yield Cause(
                Rank.PROGRAM, f"no program of lab {run.id} runs: its supervisor has ended", command("up", lab=run.id), blocking=True
            )
        return
    elsewhere = {row["name"] for row in run.records("health").values() if row.get("machine")}
    for name in sort_by_need(seen.programs):
        if cause := explain_program(seen.programs[name], expected=name in expected, lab=run.id):
            yield cause
    for name in sorted(expected - seen.programs.keys() - elsewhere):
        yield Cause(Rank.PROGRAM, f"{name} was never started", command("up", lab=run.id), blocking=True)


def find_machine_causes(run: Run) -> Iterator[Cause]:
    """Yield a cause for each machine that does not answer, and each program on one that is expected to run and does not."""
    expected = expected_programs(run)
    for machine, found in ask_machines(run).items():
        if isinstance(found, str):
            yield Cause(Rank.PROGRAM, f"machine {machine} does not answer: {found}", blocking=True)
            continue
        for state in found.values():
            on_machine = replace(state, pid=None)  # a process of that machine, not of this computer
            if cause := explain_program(on_machine, expected=state.name in expected, lab=run.id):
                yield replace(cause, text=f"{cause.text} on {machine}")


def explain_program(state: ProgramState, *, expected: bool, lab: str | None = None) -> Cause | None:
    """Return why a program does not run, or None when it runs, is starting or is not expected to run."""
    name, restart = state.name, command("restart", state.name, lab=lab)
    if state.state == "running" and state.pid:
        halted = kernel_state(state.pid)
        if halted == "paused":
            return Cause(Rank.PROGRAM, f"{name} is paused by a signal (pid {state.pid})", f"kill -CONT {state.pid}", blocking=True)
        if halted:
            return Cause(Rank.PROGRAM, f"{name} is a {halted} process (pid {state.pid})", restart, blocking=True)
        return None
    if state.state in {"waiting", "exited", "lost"}:
        again = f" {count(state.restarts + 1, 'time')} on its own" if state.restarts else ""
        return Cause(Rank.PROGRAM, f"{name} {describe_exit(state)}{again}{give_reason(state)}", restart, blocking=True)
    if state.state == "stopped" and expected:
        return Cause(Rank.PROGRAM, f"{name} is stopped", restart, blocking=True)
    return None


def describe_exit(state: ProgramState) -> str:
    """Return how a program ended, as "exited with 1"."""
    if state.state == "lost":
        return "ended with its supervisor"
    if state.status is None:
        return "ended"
    if state.status >= 0:
        return f"exited with {state.status}"
    try:
        name = signal.Signals(-state.status).name
    except ValueError:
        name = f"signal {-state.status}"
    memory = state.status == -signal.SIGKILL and count_kills(Files()).in_group
    return f"was killed by {name}" + (" (the kernel kills programs of this cgroup for lack of memory)" if memory else "")


def give_reason(state: ProgramState) -> str:
    """Return the reason that a program's log gives for its end, after a colon; "" when it gives none."""
    reason = find_exit_reason(state.tail(lines=LOG_LINES))
    return f": {reason}" if reason else ""


def list_dead_programs(states: Mapping[str, ProgramState], expected: set[str]) -> list[Cause]:
    """Return the causes of programs that do not run and will not by themselves: paused, stopped, ended for good or again and again."""
    finals = {name: state for name, state in states.items() if state.state != "waiting" or state.restarts >= CRASH_LOOP}
    return [cause for name, state in finals.items() if (cause := explain_program(state, expected=name in expected))]
